"""Phrases that explain others away: "sem defeito" is no defect, "bom dia" no praise."""

from itertools import pairwise

from alfred.ai.builtin.phrase_trie import Hit

# A phrase of the first kind takes away those of the second that lie in or across it ...
_CLEARS: dict[str, frozenset[str]] = {
    "fine": frozenset(("discount", "mishap", "pain", "trouble", "silence", "sour", "danger", "stopped")),
    "sour": frozenset(("praise",)),
    "unmoney": frozenset(("price", "priceword", "discount", "outrage", "costly", "dispute", "money")),
    "declined": frozenset(("act", "order", "promise", "vow", "discount")),
    "settled": frozenset(("act", "order")),
    "mishap": frozenset(("trouble", "act")),
    "norush": frozenset(("urgent", "today", "silence")),
    "irony": frozenset(("praise",)),
    "promise": frozenset(("act", "order")),
    "danger": frozenset(("solved",)),
    "calm": frozenset(("today", "weekday", "trouble", "hours", "silence", "pain", "onspot")),
    "discount": frozenset(("act", "order", "trouble")),
    "silence": frozenset(("trouble", "act")),
    "dispute": frozenset(("act", "order", "onspot")),
    "outrage": frozenset(("act", "order", "promise")),
}
# ... and a longer one of the first kind those of the second that it contains.
_CONTAINS: dict[str, frozenset[str]] = {
    "greeting": frozenset(("praise", "pain", "today", "weekday", "past", "later")),
    "praise": frozenset(("trouble", "pain", "danger")),
    "pain": frozenset(("praise",)),
    "nod": frozenset(("praise", "pain")),
    "discount": frozenset(("praise", "pain")),
    "price": frozenset(("praise", "pain")),
    "act": frozenset(("praise",)),
    "past": frozenset(("weekday", "later", "today")),
    "today": frozenset(("today",)),
    "hours": frozenset(("today",)),
}


_MASKS = frozenset((*_CLEARS, *_CONTAINS))
_TAKES = {mask: frozenset((*_CLEARS.get(mask, ()), *_CONTAINS.get(mask, ()))) for mask in _MASKS}
_CLEARED = frozenset(("price", "discount", "costly", "outrage", "dispute"))
_LED, _LEADS = frozenset(("act", "order")), frozenset(("discount", "price"))


def _taken_by() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for mask, labels in _TAKES.items():
        for label in labels:
            found.setdefault(label, set()).add(mask)
    return {label: frozenset(masks) for label, masks in found.items()}


_TAKEN_BY = _taken_by()  # which masks each label has to fear
_CONCERNED = {label: _TAKES.get(label, frozenset()).union(_TAKEN_BY.get(label, ())) for label in _TAKES | _TAKEN_BY}
_TURNS = (_MASKS & _CLEARED, _MASKS, frozenset(_TAKEN_BY) - _MASKS)  # what is cleared away contains nothing any more


def unmask(hits: list[Hit]) -> list[Hit]:
    """The hits, in the order of their places, that no other one takes away."""
    labels = [hit.meaning.label for hit in hits]
    present = set(labels)
    gone = _answered(hits) if "fine" in present else set()
    _take_away(hits, labels, gone)
    kept = [hit for at, hit in enumerate(hits) if at not in gone] if gone else hits
    return kept if _LED.isdisjoint(present) or _LEADS.isdisjoint(present) else _without_led(kept)


def _take_away(hits: list[Hit], labels: list[str], gone: set[int]) -> None:
    """Adds the numbers of the hits that masks take away, apart from those masks that are gone themselves."""
    takers = _takers(hits, labels)
    for turn in _TURNS if takers else ():
        gone |= {at for at, masks in takers.items() if labels[at] in turn and not gone.issuperset(masks)}


def _takers(hits: list[Hit], labels: list[str]) -> dict[int, list[int]]:
    """Which hits would take each hit away, by their numbers; a hit only meets those that begin before it ends."""
    found: dict[int, list[int]] = {}
    for at, (one, following) in enumerate(pairwise(hits)):
        if following.first > one.last:
            continue
        concerned = _CONCERNED.get(labels[at])
        if not concerned:
            continue
        for number in range(at + 1, len(hits)):
            other = hits[number]
            if other.first > one.last:
                break
            if labels[number] in concerned:
                if _takes(one, other):
                    found.setdefault(number, []).append(at)
                if _takes(other, one):
                    found.setdefault(at, []).append(number)
    return found


def _answered(hits: list[Hit]) -> set[int]:
    """The number of each "never so" that blame follows: "nunca vi atendimento tão ruim"."""
    blame = {hit.first for hit in hits if hit.meaning.label == "pain"}
    return {
        at
        for at, hit in enumerate(hits)
        if hit.meaning.label == "fine"
        and (hit.last + 1 in blame or hit.last + 2 in blame)
        and hit.meaning.rule.split()[-1].startswith(("tao|", "tan|", "so|", "never"))
    }


def _without_led(hits: list[Hit]) -> list[Hit]:
    """Without requests for a discount ("pode fazer um desconto?"), or for what is only priced."""
    discounts: dict[int, int] = {}
    priced: set[int] = set()
    for hit in hits:
        if hit.meaning.label == "discount":
            discounts[hit.first] = max(hit.last, discounts.get(hit.first, 0))
        elif hit.meaning.label == "price":
            priced.update(range(hit.first + 1, hit.last + 3))

    def led(act: Hit) -> bool:
        after = range(act.first + 1, act.first + 5)
        return act.first in priced or any(discounts.get(at, -1) >= act.last for at in after)

    return [hit for hit in hits if hit.meaning.label not in _LED or not led(hit)]


def _takes(mask: Hit, hit: Hit) -> bool:
    """Whether a mask takes away a hit that lies across it."""
    if hit.meaning.label in _CLEARS.get(mask.meaning.label, ()):
        return True
    if hit.meaning.label not in _CONTAINS.get(mask.meaning.label, ()):
        return False
    if not (mask.first <= hit.first and hit.last <= mask.last):
        return False
    if mask.meaning.label in ("greeting", "nod"):
        return mask.meaning.label == "greeting" or mask.last > mask.first
    return mask.last - mask.first > hit.last - hit.first
