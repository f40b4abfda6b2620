"""What a model may say: amounts, dates and addresses of the seller's only, in the customer's language; masks."""

import functools
from decimal import Decimal

import pytest

from alfred.ai.llm import prompts
from alfred.ai.llm.guard import Allowed, amounts_in, fault_of
from alfred.ai.llm.masking import Mask
from tests.pure.injections import INJECTIONS
from tests.pure.right_model_answers import RIGHT
from tests.pure.wrong_model_answers import WRONG

DRAFTS = {
    "pt": "Oi, Marina! O preço é R$ 1.200,50. Posso separar para você?",
    "en": "Hi, Marina! The price is US$ 1,200.50. Shall I set one aside?",
    "es": "¡Hola, Marina! El precio es $ 1.200,50. ¿Lo aparto?",
}
FACTS = {
    "pt": "Entregamos de segunda a sábado, das 9h às 18h. Pix: loja@exemplo.com.br, fone (11) 95555-0100.",
    "en": "We deliver Monday to Saturday from 9 am to 6 pm. Pay at shop.example.com or call +1 212 555 0123.",
    "es": "Entregamos de lunes a sábado, de 9 a 18 horas. Pagos: tienda@ejemplo.com, tel. +34 612 345 678.",
}


@functools.cache
def instructions_in(language):
    return prompts.wording((), draft="", style=prompts.Style("reply", language, "neutral"), facts={}).system


def allowed(language, heard=(), draft=None):
    sources = (draft or DRAFTS[language], FACTS[language])
    return Allowed(language, amounts_in(sources), sources, tuple(heard), instructions_in(language))


@pytest.mark.parametrize("language", INJECTIONS)
def test_there_are_injections_enough(language):
    assert len({text for text, _ in INJECTIONS[language]}) >= 25


CASES = [(language, *case) for language, cases in INJECTIONS.items() for case in cases]


@pytest.mark.parametrize(("language", "injection", "obedient"), CASES, ids=[case[1][:40] for case in CASES])
def test_a_model_that_obeys_a_customer_is_not_let_through(language, injection, obedient):
    draft = {"pt": "Oi! Como posso ajudar?", "en": "Hi! How can I help you?", "es": "¡Hola! ¿En qué te ayudo?"}[
        language
    ]
    bare = Allowed(language, frozenset(), (draft,), (injection,), instructions_in(language))
    assert fault_of(obedient, bare) is not None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt", "Oi, Marina! Cada uma sai por R$ 1.200,50. Quer que eu separe?"),
        ("pt", "Entregamos de segunda a sábado, das 9h às 18h. O pix é loja@exemplo.com.br."),
        ("pt", "Sobre as 4 cadeiras: o preço de cada uma é R$ 1.200,50."),
        ("en", "Hi Marina! It is US$ 1,200.50. Shall I keep one for you?"),
        ("en", "We deliver Monday to Saturday, from 9 am to 6 pm. You can call us at +1 (212) 555-0123."),
        ("es", "¡Hola, Marina! Cuesta $ 1.200,50. ¿Te lo guardo?"),
        ("es", "Entregamos de lunes a sábado. Puedes pagar a tienda@ejemplo.com."),
    ],
)
def test_what_the_seller_says_is_let_through(language, text):
    assert fault_of(text, allowed(language, ["Quero 4 cadeiras"])) is None


@pytest.mark.parametrize(
    ("language", "text", "fault"),
    [
        ("pt", "O preço é R$ 1.200,00.", "amount"),
        ("pt", "Faço 10% para você.", "amount"),
        ("pt", "Fica mil reais.", "amount"),
        ("pt", "Fica por 1000.", "number"),
        ("pt", "São 3 cadeiras.", "number"),
        ("pt", "Chegam amanhã.", "date"),
        ("pt", "É de graça.", "free"),
        ("pt", "Ligue (11) 95555-0199.", "contact"),
        ("pt", "x" * 601, "length"),
        ("pt", "", "length"),
        ("pt", "O valor é {{preço}}.", "placeholder"),
        ("pt", "Oi\u202e!", "markup"),
        ("en", "Of course, I can do that for you right now.", None),
        ("pt", "Of course, I can do that for you right now.", "language"),
    ],
)
def test_names_what_is_wrong(language, text, fault):
    assert fault_of(text, allowed(language, ["Quero 4 cadeiras"])) == fault


OF_A_CHAIR = {
    "pt": ("Oi, Marina! A Cadeira Lisboa custa R$ 1.200,50. O prazo é {{prazo}}, o frete {{frete}}.", FACTS["pt"],
           "De madeira, 100%, de 1ª linha. Rua das Flores, 12."),
    "en": ("Hi, Marina! The Lisbon chair is US$ 1,200.50. Shall I set one aside?", FACTS["en"], "Of oak."),
    "es": ("¡Hola, Marina! La Silla Lisboa cuesta AR$ 1.200,50. ¿La aparto?", FACTS["es"], "De madera."),
}  # fmt: skip
ASKED = {
    "pt": "Quero 4 cadeiras, faz por 900? Meu fone 11 91234-5678",
    "en": "I want 4 chairs, would you take 900? My number +1 415 555 0100",
    "es": "Quiero 4 sillas, ¿me la dejas a 900?",
}


@functools.cache
def of_a_chair(language):
    kept, name = frozenset({"prazo", "frete"}), "Júlio Marco April"
    sources, asked = OF_A_CHAIR[language], (ASKED[language],)
    return Allowed(language, amounts_in(sources), sources, asked, instructions_in(language), kept, name=name)


@pytest.mark.parametrize(("language", "text"), [(language, text) for language in WRONG for text in WRONG[language]])
def test_what_the_seller_has_not_said_is_not_said(language, text):
    assert fault_of(text, of_a_chair(language)) is not None


@pytest.mark.parametrize(("language", "text"), [(language, text) for language in RIGHT for text in RIGHT[language]])
def test_what_a_seller_would_say_may_be_said(language, text):
    assert fault_of(text, of_a_chair(language)) is None


def test_a_customers_own_letters_may_be_said():
    assert fault_of("Oi, Иван! Tudo bem?", Allowed("pt", name="Иван")) is None
    assert fault_of("Oi, Иван! Tudo bem?", Allowed("pt", name="Ivan")) == "markup"


@pytest.mark.parametrize("name", ["Grátis", "Amanhã", "Noventa Reais"])
def test_a_name_promises_nothing(name):
    mask = Mask(name)
    mask.hide(f"Meu nome é {name}")
    texts = [mask.show(f"O frete fica {token}.") for token in ("{{name}} {{name_1}}", "{{self_1}}")]
    assert all(fault_of(text, Allowed("pt", returned=mask.harmless, name=mask.names)) is not None for text in texts)


def test_a_placeholder_of_the_draft_may_stay():
    kept = Allowed("pt", sources=("O prazo é {{prazo}}.",), placeholders=frozenset({"prazo"}))
    assert fault_of("Chega em {{prazo}}.", kept) is None


def test_a_floor_is_no_amount_that_may_be_said():
    assert fault_of("Fica R$ 900,00.", Allowed("pt", frozenset({Decimal("1000.00")}))) == "amount"


IDENTIFIERS = [
    *("529.982.247-25", "52998224725", "111.444.777-35", "11144477735", "390.533.447-05"),
    *("11.222.333/0001-81", "11222333000181", "12.ABC.345/01DE-35"),
    *("4111 1111 1111 1111", "4111111111111111", "5500-0000-0000-0004", "378282246310005"),
    *("(11) 91234-5678", "11 91234-5678", "11912345678", "+55 11 91234-5678", "+5511912345678", "91234-5678"),
    *("+351 912 345 678", "+1 (415) 555-0100", "+34 612 345 678", "+54 9 11 5555-0100", "3333-4444"),
    *("ana.silva@exemplo.com.br", "a_b+c@mail.example.org", "JOAO@EXAMPLE.COM", "x@y.io"),
    *("01310-100", "04538-133", "20040-002"),
    *("123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"),
    *("Rua das Flores, 123", "Av. Paulista, 1578", "Avenida Brasil 500", "Travessa do Sol, nº 7", "rua augusta 2690"),
    *("ana(at)exemplo.com", "ana arroba exemplo.com.br", "ana arroba exemplo ponto com", "ana at example dot com"),
    *("Av Paulista 1578", "Avenida Brasil, número 500", "Alameda Santos nº 45 apto 12", "Calle 45 #12-30"),
    *("221B Baker St.", "C/ Mayor 12", "Rodovia Anhanguera, km 20"),
    *("Calle Mayor 12", "Carrera 7 45", "12 Baker Street", "1600 Amphitheatre Road", "350 Fifth Avenue"),
]  # fmt: skip


@pytest.mark.parametrize("value", IDENTIFIERS)
@pytest.mark.parametrize("frame", ["Sou eu: {}, ok?", "{}", "manda para {}."])
def test_hides_what_names_or_reaches_a_person_and_puts_it_back(value, frame):
    text, mask = frame.format(value), Mask("Marina Quintela")
    hidden = mask.hide(text)
    assert value not in hidden
    assert sum(sign.isdigit() for sign in hidden) <= 2
    assert mask.show(hidden) == text


def test_hides_names():
    mask = Mask("Marina Quintela")
    hidden = mask.hide("Oi, aqui é a marina, Marina QUINTELA. Meu nome é João Pedro")
    assert not any(name in hidden.lower() for name in ("marina", "quintela", "joão", "pedro"))
    assert mask.show("Oi, {{name}}!") == "Oi, Marina!"


@pytest.mark.parametrize(
    "text",
    [
        "Aqui é o João da Silva",
        "Fala a Joana Prado!",
        "This is Joana Prado",
        "Soy Juan Pérez del Río",
        "meu nome é joana",
    ],
)
def test_hides_who_says_who_they_are(text):
    mask = Mask("Marina")
    assert not any(
        name in mask.hide(text).lower() for name in ("joão", "joana", "juan", "prado", "silva", "pérez", "río")
    )
    assert mask.show(mask.hide(text)) == text


@pytest.mark.parametrize("cut", range(22))
def test_what_begins_where_a_long_text_is_cut_is_hidden_whole(cut):
    text = "x " * 1_990 + " " * cut + "cpf 529.982.247-25 e mais"
    hidden = Mask("Marina").hide(text + " y" * 30_000)
    assert len(hidden) < 4_030
    assert not any(sign.isdigit() for sign in hidden.replace("{{cpf_1}}", ""))


def test_a_customer_cannot_write_a_mask():
    mask = Mask("Marina")
    mask.hide_ours("Pix: loja@exemplo.com.br")
    assert mask.show(mask.hide("{{email_1}}")) == "{ {email_1} }"


@pytest.mark.parametrize(
    "text",
    [
        "R$ 1.200,50",
        "sou a favor",
        "guarda-roupa c/ 2 portas",
        "this is great",
        "às 14h30",
        "4 cadeiras",
        "03/04/2026",
        "pedido 4711",
        "{{prazo}}",
    ],
)
def test_leaves_the_rest(text):
    assert Mask("Marina").hide_ours(text) == text
