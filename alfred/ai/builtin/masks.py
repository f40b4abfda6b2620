"""Phrases that explain others away: "sem defeito" is no defect, "bom dia" no praise."""

from collections.abc import Iterable

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
_CLEARED = frozenset(("price", "discount", "costly", "outrage", "dispute"))
_LED = frozenset(("act", "order"))


def _taken_by() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for mask, labels in (*_CLEARS.items(), *_CONTAINS.items()):
        for label in labels:
            found.setdefault(label, set()).add(mask)
    return {label: frozenset(masks) for label, masks in found.items()}


_TAKEN_BY = _taken_by()  # which masks each label has to fear


def unmask(hits: list[Hit]) -> list[Hit]:
    """The hits that no other one takes away."""
    present = {hit.label for hit in hits}
    fearing = {label for label in present if label in _TAKEN_BY and not _TAKEN_BY[label].isdisjoint(present)}
    gone = _answered(hits) if "fine" in present else set()
    if fearing:
        gone |= _taken(hits, fearing, gone)
    kept = [hit for hit in hits if hit not in gone] if gone else hits
    return kept if _LED.isdisjoint(present) else _without_led(kept)


def _taken(hits: list[Hit], fearing: set[str], gone: set[Hit]) -> set[Hit]:
    """The hits of the fearing labels that masks take away, apart from those masks that are gone."""
    feared = frozenset().union(*(_TAKEN_BY[label] for label in fearing))
    cover = _cover(hit for hit in hits if hit.label in feared)
    at_risk = [hit for hit in hits if hit.label in fearing]
    for labels in (_MASKS & _CLEARED, _MASKS, fearing - _MASKS):  # what is cleared away contains nothing any more
        gone = gone | {hit for hit in at_risk if hit.label in labels and _masked(hit, cover, gone)}
    return gone


def _cover(masks: Iterable[Hit]) -> dict[int, list[Hit]]:
    """The masks that lie on each token."""
    found: dict[int, list[Hit]] = {}
    for mask in masks:
        for at in range(mask.first, mask.last + 1):
            found.setdefault(at, []).append(mask)
    return found


def _masked(hit: Hit, cover: dict[int, list[Hit]], gone: set[Hit]) -> bool:
    feared = _TAKEN_BY[hit.label]
    for at in range(hit.first, hit.last + 1):
        for mask in cover.get(at, ()):
            if mask.label in feared and _takes(mask, hit) and mask not in gone:
                return True
    return False


def _answered(hits: list[Hit]) -> set[Hit]:
    """Each "never so" that blame follows: "nunca vi atendimento tão ruim"."""
    blame = {hit.first for hit in hits if hit.label == "pain"}
    return {
        hit
        for hit in hits
        if hit.label == "fine"
        and (hit.last + 1 in blame or hit.last + 2 in blame)
        and hit.rule.split()[-1].startswith(("tao|", "tan|", "so|", "never"))
    }


def _without_led(hits: list[Hit]) -> list[Hit]:
    """Without requests for a discount ("pode fazer um desconto?"), or for what is only priced."""
    discounts: dict[int, int] = {}
    priced: set[int] = set()
    for hit in hits:
        if hit.label == "discount":
            discounts[hit.first] = max(hit.last, discounts.get(hit.first, 0))
        elif hit.label == "price":
            priced.update(range(hit.first + 1, hit.last + 3))

    def led(act: Hit) -> bool:
        after = range(act.first + 1, act.first + 5)
        return act.first in priced or any(discounts.get(at, -1) >= act.last for at in after)

    return [hit for hit in hits if hit.label not in _LED or not led(hit)]


def _takes(mask: Hit, hit: Hit) -> bool:
    if hit is mask or hit.first > mask.last or hit.last < mask.first:
        return False
    if hit.label in _CLEARS.get(mask.label, ()):
        return True
    if hit.label not in _CONTAINS.get(mask.label, ()):
        return False
    if not (mask.first <= hit.first and hit.last <= mask.last):
        return False
    if mask.label in ("greeting", "nod"):
        return mask.label == "greeting" or mask.last > mask.first
    return mask.last - mask.first > hit.last - hit.first
