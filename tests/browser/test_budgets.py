"""The budgets of bytes, elements and requests, as the browser counts them; times are printed by bench/screen.py."""

SCREENS = ("tasks", "contacts", "rules", "flows", "reports", "channels", "notifications", "settings", "more", "inbox")

_BYTES = """return performance.getEntriesByType("resource").filter((part) => part.name.endsWith(arguments[0]))
  .reduce(([raw, sent], part) => [raw + part.decodedBodySize, sent + part.encodedBodySize], [0, 0])"""


def test_all_screens_together_keep_the_budget_of_bytes(screen, ana):
    told = ana.hears("Oi")
    screen.enter(ana)
    screen.sees_row("Marina")
    for name in (*SCREENS, f"inbox/{told['conversation_id']}"):
        screen.run("location.hash = '#/' + arguments[0]", name)
        screen.until(lambda: screen.there("h1"))
        screen.until(lambda: not screen.there(".skeleton"))
    screen.find("textbox", "Message")
    raw, sent = screen.run(_BYTES, ".js")
    assert 60_000 < raw < 120_000
    assert sent < 60_000
    assert 10_000 < screen.run(_BYTES, ".css")[0] < 40_000
    words = [name for name in screen.requests("/web/") if name.endswith(".json")]
    assert sorted(name.rsplit("/", 1)[1] for name in words) == ["en.json", "en.more.json"]


def test_a_burst_of_200_costs_two_requests(screen, ana):
    ana.hears("Oi", at=1714569999)
    ana.hear_many([f"Customer {number} is there" for number in range(20)])
    screen.enter(ana)
    screen.opens("Marina")
    screen.until(lambda: "Live" in screen.text())
    opening = ("/read", "/timeline", "/tasks?", "/conversations?contact_id")  # it asks for these once
    screen.until(lambda: all(screen.requests(part) for part in opening))
    screen.run("performance.clearResourceTimings()")
    ana.hear_many([f"Message number {number}" for number in range(199)], people=20)
    ana.hears("The last one", at=1714570000)
    screen.sees_message("The last one", 20)
    lists = [path for path in screen.requests() if "/counts" not in path]
    assert len(lists) <= 2, "\n".join(screen.requests())
    assert len(screen.requests()) <= 4, "\n".join(screen.requests())
