"""Sentences that are no rule: each is refused with its reason, what was understood, and an example."""

import pytest

from alfred.rules.sentence.compiler import NotUnderstood
from alfred.rules.sentence.compiler import compile as compile_rule

REFUSED = [
    ("Me avise", "no_condition"),
    ("Quando chegar uma mensagem, me avise", "no_condition"),
    ("", "no_condition"),
    ("...", "no_condition"),
    ("Quando o cliente pedir desconto", "no_action"),
    ("bom dia", "unknown"),
    ("😀😀😀", "unknown"),
    ("' or 1=1; drop table rules; --", "unknown"),
    ("Quando o cliente pedir desconto e a lua estiver cheia, me avise", "unknown"),
    ("Quando o cliente pedir desconto, ligue para ele", "unknown"),
    ("Quando o cliente pedir desconto apenas uma vez, me avise", "unknown"),
    ("Quando o cliente pedir desconto pela terceira vez, me avise", "unknown"),
    ("Quando o cliente rico pedir desconto, me avise", "unknown"),
    ("Quando o cliente disser que vai cancelar, me avise", "unknown"),
    ("Quando o cliente estiver triste e sozinho, me avise", "unknown"),
    ("Quando a mensagem for muito longa, me avise", "unknown"),
    ("Quando a mensagem for urgente, marque reunião", "unknown"),
    ("Quando o valor for maior que 500, me avise", "unknown"),
    ("Quando o cliente pedir desconto, me avise exceto quando chover", "unknown"),
    ("Quando o cliente pedir desconto, responda 'ok' depois de 2 horas", "unknown"),
    ("Quando o cliente pedir desconto me avise só uma vez por dia", "unknown"),
    ("Se a tarefa for urgente, me avise", "unknown"),
    ("Quando o cliente pedir me avise", "unknown"),
    ("Se a mensagem mencionar em português, me avise", "unknown"),
    ("Se o cliente pedir desconto e responder 'sim', me avise", "ambiguous"),
    ("Se a mensagem não for só do WhatsApp, me avise", "ambiguous"),
    ("Se a mensagem for quase urgente, me avise", "unknown"),
    ("Se o cliente não responder há 3 dias, me avise", "unknown"),
    ("Marque como lida quando a mensagem for positiva", "unknown"),
    ("Se a mensagem for urgente, não me avise", "negated_action"),
    ("Se a mensagem for urgente, me avise ou crie uma tarefa", "or_actions"),
    ("Se a mensagem for urgente, me avise; caso contrário, feche a conversa", "otherwise"),
    ("Quando for urgente me avise e quando for VIP crie uma tarefa", "two_rules"),
    ("Me avise no WhatsApp quando a mensagem for urgente", "channel_after_action"),
    ("Depois das 6, responda 'oi'", "half_day"),
    ("Depois das 18h30, responda 'oi'", "full_hours"),
    ('Se a mensagem mencionar "preço" ou for urgente no WhatsApp, me avise', "ambiguous"),
    ("Responda que abrimos às 9h quando perguntarem o horário", "quotes"),
    ('Se a mensagem for "urgente, me avise', "unclosed_quote"),
    ("Quando uma tarefa não atrasar, me avise", "trigger_inside"),
    ("Se a mensagem for urgente ou uma tarefa atrasar, me avise", "trigger_inside"),
    ("notify me when it rains", "unknown"),
    ("If the customer is sad, notify me", "unknown"),
    ("If the customer is rich or VIP, notify me", "unknown"),
    ("If the message is extremely urgent, notify me", "unknown"),
    ("If the message is urgent at 18:30, notify me", "unknown"),
    ("If someone mentions refund only once, notify me", "unknown"),
    ("If a customer hasn't replied in 3 days, notify me", "unknown"),
    ("If a message is urgent, forward it to John", "unknown"),
    ("When someone mentions refund, transfer the money", "unknown"),
    ("When someone mentions refund, reply 'ok' after 10 minutes", "unknown"),
    ("When the customer asks for a discount twice, notify me", "unknown"),
    ("When the message is urgent and it is raining, notify me", "unknown"),
    ("When he says he is leaving, notify me", "unknown"),
    ("notify me if the message is urgent unless I am on holiday", "unknown"),
    ("Notify me when the message is not from my boss", "unknown"),
    ("Mark as read when a message is positive", "unknown"),
    ("delete every conversation", "unknown"),
    ("If after 6, notify me", "half_day"),
    ("When a message arrives before midnight, notify me", "never"),
    ("Reply with We open at 9 when someone asks the hours", "quotes"),
    ("When a message is urgent, tag 'risk' and notify me after 6pm", "ambiguous"),
    ("If the message is urgent after 6pm and on weekends, notify me", "ambiguous"),
    ("When a message is urgent, notify me and when it is negative, tag it 'x'", "two_rules"),
    ("If the message is urgent then notify me else close the conversation", "otherwise"),
    ("when someone mentions refund, don't reply 'ok'", "negated_action"),
    ("Avísame", "no_condition"),
    ("Cuando llegue un mensaje, avísame", "no_condition"),
    ("Cuando el cliente pida descuento", "no_action"),
    ("Cuando el cliente baile, avísame", "unknown"),
    ("Cuando el cliente pida descuento, llama a mi jefe", "unknown"),
    ("Cuando el mensaje sea urgente, avísame excepto si llueve", "unknown"),
    ("Si el mensaje es muy largo, avísame", "unknown"),
    ("Si el cliente lleva 3 días sin responder, avísame", "unknown"),
    ("No me avises cuando el mensaje sea urgente", "negated_action"),
    ("Si el mensaje es urgente, avísame o crea una tarea", "or_actions"),
    ("Si es urgente avísame, de lo contrario cierra la conversación", "otherwise"),
    ("Después de las 6, responde 'hola'", "half_day"),
    ("Avísame por correo cuando el mensaje sea urgente", "channel_after_action"),
    ("Me avise quando o cliente mencionar " + "muito " * 200 + "bom", "too_long"),
    ("Se " + "(" * 100 + "for urgente" + ")" * 100 + ", me avise", "too_long"),
]


@pytest.mark.parametrize(("sentence", "code"), REFUSED)
def test_is_refused(sentence, code):
    with pytest.raises(NotUnderstood) as refusal:
        compile_rule(sentence)
    assert refusal.value.code == code
    assert refusal.value.message
    assert compile_rule(refusal.value.example).language == refusal.value.language


@pytest.mark.parametrize(
    ("sentence", "understood", "not_understood"),
    [
        (
            "Quando o cliente pedir desconto e a lua estiver cheia, me avise",
            ("a mensagem contém “desconto”",),
            ("a lua estiver cheia",),
        ),
        ("When someone mentions refund, transfer the money",
         ("the message contains “refund”",), ("transfer the money",)),
        ("Cuando el mensaje sea urgente, avísame excepto si llueve",
         ("la urgencia es alta", "avisarte"), ("llueve",)),
        ("Me avise", ("avisar você",), ()),
    ],
)  # fmt: skip
def test_names_what_was_understood_and_what_was_not(sentence, understood, not_understood):
    with pytest.raises(NotUnderstood) as refusal:
        compile_rule(sentence)
    assert refusal.value.understood == understood
    assert refusal.value.not_understood == not_understood


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Quando o cliente pedir desconto, me avise com um som alto", "com um som alto"),
        ("Se for urgente, crie uma tarefa para hoje", "para hoje"),
        ("Quando o cliente pedir desconto, me avise amanhã", "amanhã"),
        ("If the message is urgent, notify my boss", "my boss"),
        ("If the message is urgent, create a task to call him and send flowers", "send flowers"),
        ("If the customer mentions price and yells, notify me", "yells"),
        ("Cuando el cliente pida descuento, avísame con música", "con música"),
    ],
)
def test_warns_of_what_an_action_cannot_do(sentence, words):
    (warning,) = compile_rule(sentence).warnings
    assert f"“{words}”" in warning


def test_takes_a_locale_as_the_hint():
    both = "Entre 22h a 6h, responde 'ok'"
    assert compile_rule(both, language="pt-BR").language == "pt"
    assert compile_rule(both, language="es_MX").language == "es"
    assert compile_rule(both, language="xx").language in ("pt", "es")


@pytest.mark.parametrize("language", ["pt", "en", "es"])
def test_refuses_in_the_language_of_the_sentence(language):
    with pytest.raises(NotUnderstood) as refusal:
        compile_rule("If the customer is sad, notify me", language=language)
    assert refusal.value.language == "en"
