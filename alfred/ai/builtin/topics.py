"""Which of the shop's standing facts a customer asks about: hours, address, delivery, returns, payment."""

import re
import unicodedata
from collections.abc import Iterable

TOPICS: dict[str, re.Pattern[str]] = {
    "hours": re.compile(
        r"\b(?:que horas|horarios?|abre|abrem|abert[oa]s?|fecha(?:m|do)?|funcionam?|funcionamento|open"
        r"|opens|opening|close|closes"
        r"|closing|business hours|abren|abiertos?|cierran?)\b"
    ),
    "address": re.compile(
        r"\b(?:enderecos?|onde (?:fica|ficam|voces|esta)|localizacao|address|where are you|located|location|direccion"
        r"|donde (?:estan|queda|quedan)|ubicacion|ubicados)\b"
    ),
    "delivery": re.compile(
        r"\b(?:entrega[ms]?|entregar|fretes?|envia[mr]?|envios?|deliver(?:y|ies|s)?|shipping|ships?"
        r"|entregan|entregas|enviar|enviais)\b"
    ),
    "returns": re.compile(
        r"\b(?:devol\w+|trocas?|trocar|arrependimento|returns?|exchanges?|devoluciones|cambios?|cambiar"
        r"|reembols\w+|refunds?)\b"
    ),
    "payment": re.compile(
        r"\b(?:pagamentos?|pagar|pix|cartao|cartoes|boletos?|parcela\w*|payments?|pay|cards?|cash|pagos?"
        r"|tarjetas?|cuotas|efectivo"
        r"|transferencia)\b"
    ),
}  # fmt: skip


def topics_of(texts: Iterable[str]) -> frozenset[str]:
    """The topics that the texts touch."""
    flat = unicodedata.normalize("NFKD", "\n".join(texts)[-4000:].lower())
    said = "".join(sign for sign in flat if not unicodedata.combining(sign))
    return frozenset(topic for topic, words in TOPICS.items() if words.search(said))
