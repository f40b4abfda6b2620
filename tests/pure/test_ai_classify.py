"""The built-in classifier, by tables of messages."""

import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfred.ai.builtin.lexicon import FOLDER, lexicon, read
from alfred.ai.builtin.provider import MockAIProvider, classify, classify_all

ANYTHING = st.text(alphabet=st.characters(exclude_categories=()), max_size=400)
WORDS = (
    *("não", "veio", "quebrado", "obrigado", "quanto", "custa", "?", "!", "hoje", "but", "never", "price"),
    *("pedido", "por", "80", "R$", "can't", "you", "send", "me", "llegó", "nada", "sin", "if", "se", "😡"),
)
WORDY = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)


@pytest.mark.parametrize("text", ["", "   ", "\n", "🤷", "zxqw"])
def test_unknown_is_neutral_low_and_false(text: str) -> None:
    got = classify(text)

    assert (got.sentiment, got.urgency) == ("neutral", "low")
    assert (got.negotiation, got.should_create_task, got.language) == (False, False, None)


async def test_the_provider_answers_as_the_function_does() -> None:
    assert await MockAIProvider().classify("adorei!") == classify("adorei!")


def test_many_are_read_as_one_is_but_for_the_signals() -> None:
    texts = ["adorei!", "my order arrived broken, I want my money back", ""]

    assert classify_all(texts) == [classify(text).model_copy(update={"signals": ()}) for text in texts]


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("Adorei o bolo", "positive"),
        ("não gostei do bolo", "negative"),
        ("não ficou feio", "positive"),
        ("sem defeito nenhum", "positive"),
        ("veio com defeito", "negative"),
        ("Nunca vi atendimento tão ruim", "negative"),
        ("nunca comi nada tão bom", "positive"),
        ("se vier com defeito vocês trocam?", "neutral"),
        ("O produto quebrou mas vocês já resolveram, obrigada", "positive"),
        ("disseram que consertaram mas continua vazando", "negative"),
        ("latex is fine", "neutral"),
        ("my delivery is late", "negative"),
        ("Great, another hour on hold", "negative"),
        ("couldn't be happier", "positive"),
        ("not bad at all", "positive"),
        ("I don't like it", "negative"),
        ("no está mal", "positive"),
        ("me encantó, pero llegó roto", "negative"),
        ("bom dia", "neutral"),
        ("buenas tardes", "neutral"),
        ("good morning", "neutral"),
    ],
)
def test_sentiment(text: str, sentiment: str) -> None:
    assert classify(text).sentiment == sentiment


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("Preciso disso para hoje", "high"),
        ("hoje aprendi uma coisa", "low"),
        ("te pago hoje", "low"),
        ("pode entregar na sexta?", "medium"),
        ("te pago na sexta", "low"),
        ("passo aí na sexta pegar", "medium"),
        ("sem pressa, pode mandar quando der", "low"),
        ("não é urgente", "low"),
        ("it's urgent", "high"),
        ("there is smoke coming out of it", "high"),
        ("I'm outside your shop", "high"),
        ("quiero cancelar mi pedido", "medium"),
        ("now I see", "low"),
    ],
)
def test_urgency(text: str, urgency: str) -> None:
    assert classify(text).urgency == urgency


@pytest.mark.parametrize(
    ("text", "negotiation"),
    [
        ("quanto custa?", True),
        ("quanto tempo demora?", False),
        ("aceita pix?", False),
        ("vale a pena?", False),
        ("preço ótimo, obrigado", False),
        ("me cobraram duas vezes", False),
        ("could you do 80?", True),
        ("too expensive for me", True),
        ("worth every penny", False),
        ("no necesito descuento, gracias", False),
        ("¿tienen descuento?", True),
    ],
)
def test_negotiation(text: str, negotiation: bool) -> None:
    assert classify(text).negotiation is negotiation


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("me liga amanhã", True),
        ("me passa o pix", False),
        ("não precisa ligar", False),
        ("te confirmo na segunda", True),
        ("vou pensar", False),
        ("please send me the contract", True),
        ("can you send me the link?", False),
        ("I'll pay next week", True),
        ("el paquete no llegó", True),
        ("gracias", False),
    ],
)
def test_should_create_task(text: str, task: bool) -> None:
    assert classify(text).should_create_task is task


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Oi, boa tarde", "greeting"),
        ("obrigado", "thanks"),
        ("quanto custa?", "price_question"),
        ("faz um desconto?", "discount_request"),
        ("chegou quebrado", "complaint"),
        ("quero cancelar meu pedido", "cancellation"),
        ("vou querer o azul", "order"),
        ("quando chega a entrega?", "delivery_question"),
        ("quero agendar um horário para sexta", "scheduling"),
        ("tem na cor azul?", "question"),
        ("zxqw", "other"),
    ],
)
def test_intent(text: str, intent: str) -> None:
    assert classify(text).intent == intent


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("vc tem isso em azul?", "pt"),
        ("u got this in blue?", "en"),
        ("¿lo tienes en azul?", "es"),
        ("kkkk", "pt"),
        ("jajaja", "es"),
        ("haha", "en"),
        ("mañana", "es"),
        ("amanhã", "pt"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert classify(text).language == language


def test_signals_say_why() -> None:
    text = "Olha, chegou quebrado"
    signal = next(s for s in classify(text).signals if s.label == "trouble")

    assert text[slice(*signal.span)] == "chegou quebrado"
    assert signal.rule.startswith("pt: ")


def test_each_language_has_a_lexicon_of_its_own() -> None:
    assert all(lexicon().entries[language] >= 300 for language in ("pt", "en", "es"))


@given(st.one_of(ANYTHING, WORDY))
@settings(max_examples=150, deadline=None)
def test_never_raises_and_always_answers_the_same(text: str) -> None:
    got = classify(text)

    assert got == classify(text)
    assert all(0 <= s.span[0] <= s.span[1] <= len(text) for s in got.signals)


HOSTILE = (
    "a",
    "nao ",
    "não é bom ",
    "quanto custa? ",
    "1.",
    "$",
    "é",
    "?!",
    "'",
    "((",
    "a b ",
    "¿",
    "9",
    "\u0301",
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_with_the_length_only(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = 1.0
        for _ in range(5):
            begun = time.process_time()
            classify(text)
            best = min(best, time.process_time() - begun)
        return best

    seconds(2_000)
    assert seconds(10_000) < 12 * seconds(1_250) + 0.05


def test_what_is_beyond_ten_thousand_characters_is_not_read() -> None:
    assert classify("a " * 5_000 + "chegou quebrado").sentiment == "neutral"


def test_no_phrase_stands_twice_in_a_section() -> None:
    lines = Counter(
        (path.name.partition(".")[0], *section, line) for path in FOLDER.glob("*.txt") for section, line in read(path)
    )

    assert [line for line, times in lines.items() if times > 1] == []
