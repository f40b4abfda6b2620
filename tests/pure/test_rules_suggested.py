"""A sentence that is no rule points to the nearest one that is: by tables, in the language of the sentence."""

import pytest

from alfred.rules.sentence.compiler import NotUnderstood
from alfred.rules.sentence.compiler import compile as compile_rule
from alfred.rules.sentence.vocabulary import LANGUAGES, vocabulary
from tests.pure.test_rules_refused import REFUSED

NEAREST = {
    "pt": [
        ("se ninguém responder em 2 dias, me avise", "Quando um lead ficar parado, me avise."),
        (
            "Se o cliente não responder há 3 dias, responda 'Oi, ainda tem interesse?'",
            "Quando um lead ficar parado, responda 'Oi, ainda tem interesse?'.",
        ),
        ("Se o cliente sumir por uma semana, me avise", "Quando um lead ficar parado, me avise."),
        ("Quando um novato comprar pela primeira vez, me avise", "Quando um cliente novo escrever, me avise."),
        (
            "Quando um desconhecido aparecer aqui, marque com a tag novo",
            "Quando um cliente novo escrever, marque com a tag novo.",
        ),
        ("Quando o cliente estiver triste e sozinho, me avise", "Quando a mensagem for negativa, me avise."),
        ("Quando alguém me xingar, feche a conversa", "Quando a mensagem for negativa, feche a conversa."),
        ("Quando o cliente ficar muito agradecido comigo, me avise", "Quando a mensagem for positiva, me avise."),
        ("Quando o valor for maior que 500, me avise", "Quando o cliente negociar o preço, me avise."),
        ("Se a tarefa passar da data do prazo, me avise", "Quando uma tarefa atrasar, me avise."),
        ("Quando o cliente rico pedir desconto, me avise", "Quando um cliente VIP escrever, me avise."),
        ("Durante as férias, responda 'Volto logo'", "Fora do horário comercial, responda 'Volto logo'."),
        (
            "Quando mandarem muitas mensagens seguidas, me avise",
            "Quando houver mais de 3 mensagens não lidas, me avise.",
        ),
        (
            "Quando o cliente mandar o comprovante de pagamento, me avise",
            "Quando o cliente mandar um documento, me avise.",
        ),
        ("Quando o cliente mandar uma foto do produto, me avise", "Quando o cliente mandar uma foto, me avise."),
        ("Quando o cliente gravar áudio longo, me avise", "Quando o cliente mandar um áudio, me avise."),
        ("Quando o cliente mandar vídeo do defeito, me avise", "Quando o cliente mandar um vídeo, me avise."),
        ("Quando o cliente disser que vai cancelar, me avise", "Quando o cliente pedir para cancelar, me avise."),
        ("Se a mensagem for quase urgente, me avise", "Quando a mensagem for urgente, me avise."),
        ("Quando um estrangeiro aparecer, me avise", "Quando a mensagem for em inglês, me avise."),
        ("Depois das 6, responda 'oi'", "Depois das 18h, responda 'oi'."),
        ("Depois das 18h30, responda 'oi'", "Depois das 18h, responda 'oi'."),
        ("Me avise no WhatsApp quando a mensagem for urgente", "Quando chegar uma mensagem no WhatsApp, me avise."),
        ("Quando o cliente pedir desconto, ligue para ele", "Quando o cliente pedir desconto, me avise."),
        (
            "Quando o cliente pedir desconto e a lua estiver cheia, me avise",
            "Quando o cliente pedir desconto, me avise",
        ),
        ("Quando o cliente pedir desconto, me avise exceto quando chover", "Quando o cliente pedir desconto, me avise"),
        (
            "Quando o cliente pedir desconto, responda 'ok' depois de 2 horas",
            "Quando o cliente pedir desconto, responda 'ok'",
        ),
        ("Quando o cliente pedir desconto", "Quando o cliente pedir desconto, me avise."),
        ("Me avise", "Quando o cliente pedir desconto, me avise."),
        ("bom dia", "Quando o cliente pedir desconto, me avise e crie uma tarefa para amanhã."),
    ],
    "en": [
        ("if nobody replies in 2 days, notify me", "When a lead goes cold, notify me."),
        (
            "If a customer hasn't replied in 3 days, reply 'Still interested?'",
            "When a lead goes cold, reply 'Still interested?'.",
        ),
        ("If the client ghosts me, notify me", "When a lead goes cold, notify me."),
        ("When a new client buys something, notify me", "When a new customer writes, notify me."),
        ("When a stranger shows up, tag it 'new'", "When a new customer writes, tag it 'new'."),
        ("If the customer is sad, notify me", "If the message is negative, notify me."),
        ("If someone is rude to me, close the conversation", "If the message is negative, close the conversation."),
        ("When people are grateful, notify me", "If the message is positive, notify me."),
        ("If the amount is over 500 dollars, notify me", "When the customer negotiates the price, notify me."),
        ("When the deadline of a task passes, notify me", "When a task is overdue, notify me."),
        ("If the customer is rich, notify me", "When a VIP customer writes, notify me."),
        ("While I am on holiday, reply 'Back soon'", "Outside business hours, reply 'Back soon'."),
        ("If they send too many messages, notify me", "When there are more than 3 unread messages, notify me."),
        (
            "When the customer sends the receipt of the payment, notify me",
            "If the customer sends a document, notify me.",
        ),
        ("When the customer sends a photo of the product, notify me", "If the customer sends a photo, notify me."),
        ("When the voice of the customer is loud, notify me", "If the customer sends an audio, notify me."),
        ("If they record a long video, notify me", "If the customer sends a video, notify me."),
        ("When he says he is leaving, notify me", "If the customer mentions 'cancel', notify me."),
        ("If the message is extremely urgent, notify me", "If the message is urgent, notify me."),
        ("When a foreigner writes, notify me", "If the message is in Spanish, notify me."),
        ("If after 6, notify me", "After 6pm, notify me."),
        ("After 18:30, reply 'hi'", "After 6pm, reply 'hi'."),
        ("Notify me on WhatsApp when the message is urgent", "When a message arrives on WhatsApp, notify me."),
        ("When someone mentions refund, transfer the money", "When someone mentions refund, notify me."),
        ("When someone mentions refund and the moon is full, notify me", "When someone mentions refund, notify me"),
        ("When someone mentions refund, reply 'ok' after 10 minutes", "When someone mentions refund, reply 'ok'"),
        ("When the customer asks for a discount", "When the customer asks for a discount, notify me."),
        ("Notify me", "When the customer asks for a discount, notify me."),
        ("notify me when it rains", "When a customer asks for a discount, notify me and create a task for tomorrow."),
        ("delete every conversation", "When a customer asks for a discount, notify me and create a task for tomorrow."),
    ],
    "es": [
        ("si nadie responde en 2 días, avísame", "Cuando un lead se enfríe, avísame."),
        (
            "Si el cliente lleva 3 días sin responder, responde '¿Sigues interesado?'",
            "Cuando un lead se enfríe, responde '¿Sigues interesado?'.",
        ),
        ("Si el cliente desaparece, avísame", "Cuando un lead se enfríe, avísame."),
        ("Cuando sea la primera compra, avísame", "Cuando un cliente nuevo escriba, avísame."),
        (
            "Cuando aparezca un desconocido, etiqueta como 'nuevo'",
            "Cuando un cliente nuevo escriba, etiqueta como 'nuevo'.",
        ),
        ("Si el cliente está muy triste, avísame", "Cuando el mensaje sea negativo, avísame."),
        (
            "Cuando alguien me insulte, cierra la conversación",
            "Cuando el mensaje sea negativo, cierra la conversación.",
        ),
        ("Cuando el cliente esté muy agradecido conmigo, avísame", "Cuando el mensaje sea positivo, avísame."),
        ("Si el monto es mayor que 500, avísame", "Cuando el cliente negocie el precio, avísame."),
        ("Cuando se acabe el plazo, avísame", "Cuando una tarea se atrase, avísame."),
        ("Cuando un cliente rico pida descuento, avísame", "Cuando un cliente VIP escriba, avísame."),
        ("Durante las vacaciones, responde 'Vuelvo pronto'", "Fuera de horario, responde 'Vuelvo pronto'."),
        ("Cuando me manden muchos mensajes seguidos, avísame", "Cuando haya más de 3 mensajes sin leer, avísame."),
        ("Cuando el cliente mande el comprobante de pago, avísame", "Cuando el cliente mande un documento, avísame."),
        ("Cuando el cliente mande una foto del producto, avísame", "Cuando el cliente mande una foto, avísame."),
        ("Cuando el cliente grabe un audio largo, avísame", "Cuando el cliente mande un audio, avísame."),
        ("Si me graban un video, avísame", "Cuando el cliente mande un video, avísame."),
        ("Cuando el cliente diga que quiere irse, avísame", "Cuando el cliente mencione 'cancelar', avísame."),
        ("Si el mensaje es casi urgente, avísame", "Cuando el mensaje sea urgente, avísame."),
        ("Cuando escriba un extranjero, avísame", "Cuando el mensaje esté en inglés, avísame."),
        ("Después de las 6, responde 'hola'", "Después de las 18h, responde 'hola'."),
        ("Después de las 18h30, responde 'hola'", "Después de las 18h, responde 'hola'."),
        ("Avísame por correo cuando el mensaje sea urgente", "Cuando llegue un mensaje por WhatsApp, avísame."),
        ("Cuando el cliente pida descuento, llama a mi jefe", "Cuando el cliente pida descuento, avísame."),
        (
            "Cuando el cliente pida descuento, responde 'ok' después de 2 horas",
            "Cuando el cliente pida descuento, responde 'ok'",
        ),
        ("Cuando el cliente pida descuento", "Cuando el cliente pida descuento, avísame."),
        ("Avísame", "Cuando el cliente pida descuento, avísame."),
        ("Cuando el cliente baile, avísame", "Cuando el cliente pida descuento, avísame y crea una tarea para mañana."),
        (
            "Si el mensaje es muy largo, avísame",
            "Cuando el cliente pida descuento, avísame y crea una tarea para mañana.",
        ),
    ],
}
ROWS = [(language, *row) for language, rows in NEAREST.items() for row in rows]


def refusal_of(sentence):
    with pytest.raises(NotUnderstood) as refusal:
        compile_rule(sentence)
    return refusal.value


@pytest.mark.parametrize(("language", "sentence", "nearest"), ROWS)
def test_points_to_the_nearest_rule(language, sentence, nearest):
    refusal = refusal_of(sentence)
    assert (refusal.language, refusal.suggestion) == (language, nearest)


@pytest.mark.parametrize("sentence", [sentence for sentence, _ in REFUSED] + [row[1] for row in ROWS])
def test_what_is_suggested_is_a_rule(sentence):
    refusal = refusal_of(sentence)
    rule = compile_rule(refusal.suggestion, language=refusal.language)
    assert (rule.language, rule.warnings) == (refusal.language, ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_hint_is_a_rule(language):
    words = vocabulary(language)
    for hint in words.hints:
        rule = compile_rule(hint["say"].format(then=words.say["then"]), language=language)
        assert (rule.language, rule.warnings) == (language, ())
