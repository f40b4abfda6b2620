"""Prints how much processor time a message takes and how well it is read: `python bench/assistant.py`."""

import gc
import json
import random
import statistics
import sys
import time
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from alfred.ai.builtin import provider
from alfred.ai.builtin.lexicon import lexicon
from alfred.ai.builtin.provider import classify
from alfred.ai.builtin.signals import Reading
from alfred.ai.builtin.weighing import Rules, Verdict
from tests.ai_eval.score import HERE, rows, score

LONG = {
    "pt": "Oi, boa tarde! Comprei com vocês uma mesa de jantar no mês passado e a entrega foi super "
    "pontual, os rapazes montaram tudo direitinho e a minha mãe adorou a cor da madeira. Só que ontem"
    " percebi que uma das cadeiras está balançando um pouco, acho que faltou apertar algum parafuso. "
    "Vocês conseguem mandar alguém para dar uma olhada ainda esta semana? Pode ser na quinta ou na "
    "sexta de manhã, tem sempre alguém em casa. E já aproveito para perguntar quanto fica o aparador "
    "da mesma linha.",
    "en": "Hi, good afternoon! Last month I bought a dining table from you, the delivery was right on time "
    "and the guys put everything together, my mother loved the colour of the wood. Yesterday though I"
    " noticed that one of the chairs is wobbling a little, maybe a screw needs tightening. Could you "
    "send someone to take a look this week? Thursday or Friday morning would be best, there is always"
    " somebody at home. And while I am at it, how much is the matching sideboard in the shop window?",
    "es": "¡Hola, buenas tardes! El mes pasado les compré una mesa de comedor, la entrega fue muy puntual y"
    " los chicos armaron todo perfecto, a mi mamá le encantó el color de la madera. Pero ayer noté "
    "que una de las sillas se mueve un poco, creo que faltó ajustar algún tornillo. ¿Pueden mandar a "
    "alguien para revisarla esta semana? Puede ser el jueves o el viernes por la mañana, siempre hay "
    "alguien en casa. Y aprovecho para preguntar cuánto sale el aparador de la misma línea.",
}
LOOP = 10_000  # turns of the loop that figures of different machines are compared by
HOSTILE = ("a", "nao ", "não é bom ", "quanto custa? ", "1.", "$", "?!", "a b ")
UNBROKEN = ("a,", "a.")  # without a blank, so that it is cut as one piece
ROUNDS = 100


def microseconds(text: str, *, explained: bool = True) -> float:
    begun = time.thread_time_ns()
    classify(text, explained=explained)
    return (time.thread_time_ns() - begun) / 1e3


def loop() -> float:
    """Microseconds that a fixed loop in Python takes here."""
    begun = time.thread_time_ns()
    value = 0
    for turn in range(LOOP):
        value = (value * 31 + turn) & 0xFFFF
    return (time.thread_time_ns() - begun) / 1e3


def strangers(size: int) -> str:
    """Words of three letters that no text before had, which nothing remembered can help with."""
    draw = random.Random()
    words = ("".join(draw.choices("abcdefghijklmnopqrstuvwxyzãéçñ", k=3)) for _ in range(size // 4))
    return " ".join(words)


def hostile(size: int) -> float:
    """The slowest of the hostile texts of this many characters, in microseconds."""
    repeated = max(min(microseconds((unit * size)[:size]) for _ in range(5)) for unit in HOSTILE)
    return max(repeated, min(microseconds(strangers(size)) for _ in range(5)))


def alone(_reading: Reading, rules: Rules, _text: str) -> Verdict:
    """What stands in for the weights, to time the rules alone."""
    return Verdict(rules.sentiment, 0.0, rules.urgency, rules.negotiation, rules.task)


def over_rules(texts: list[str]) -> tuple[float, float]:
    """Median microseconds of reading by weights and by the rules alone, turn by turn."""
    weighed, ruled = [], []
    for _ in range(ROUNDS):
        weighed += [microseconds(text) for text in texts]
        with patch.object(provider, "weigh", alone):
            ruled += [microseconds(text) for text in texts]
    return statistics.median(weighed), statistics.median(ruled)


def unexplained(texts: list[str]) -> float:
    """Median microseconds of reading without signals, as messages are taken in."""
    return statistics.median(microseconds(text, explained=False) for _ in range(ROUNDS) for text in texts)


def spread(texts: list[str]) -> tuple[float, float]:
    """Median and 99th percentile over all rounds."""
    taken = sorted(microseconds(text) for _ in range(ROUNDS) for text in texts)
    return taken[len(taken) // 2], taken[int(len(taken) * 0.99)]


def main() -> None:
    begun = time.thread_time()
    entries = lexicon().entries
    gc.collect()
    gc.freeze()  # as the service does once it has started
    print(f"lexicon       {entries} read in {(time.thread_time() - begun) * 1e3:.0f} ms")
    turns = statistics.median(loop() for _ in range(ROUNDS))
    print(f"loop of {LOOP:,} turns in Python {turns:.0f} us")
    short = [row["text"] for row in rows("messages.jsonl")]
    long = [text[:500] for text in LONG.values()]
    for what, texts in (("80 messages", short), ("500 characters", long)):
        spread(texts)
        median, late = spread(texts)
        print(f"{what:14} median {median:.0f} us, p99 {late:.0f} us, {median / turns:.2f} loops")
        print(f"{what:14} as it is taken in, without signals: median {unexplained(texts):.0f} us")
        weighed, ruled = over_rules(texts)
        print(f"{what:14} {weighed / ruled:.2f} times the rules alone ({weighed:.0f} us, {ruled:.0f} us)")
    for unit in UNBROKEN:
        print(f"10,000 characters of {unit} {min(microseconds(unit * 5_000) for _ in range(5)) / 1e3:.1f} ms")
    worst, half = hostile(10_000), hostile(5_000)
    print(f"10,000 hostile characters {worst / 1e3:.1f} ms, {worst / turns:.0f} loops, {worst / half:.2f} times 5,000")
    for name in sorted(path.name for path in HERE.glob("*.jsonl")):
        got = score(rows(name))
        print(f"scores {name} {json.dumps({key: round(value, 3) for key, value in got.items()})}")


if __name__ == "__main__":
    main()
