"""What happens elsewhere is seen here, without a reload and without a storm of requests."""

import time


def test_a_message_appears_while_somebody_writes(screen, ana):
    ana.hears("Oi")
    screen.enter(ana)
    screen.opens("Marina").send_keys("a draft")
    ana.hears("Ainda está aí?")
    screen.sees_message("Ainda está aí?")
    screen.sees_row("Ainda está aí?")
    assert screen.focused() == ("textbox", "Message")
    assert screen.find("textbox", "Message").get_attribute("value") == "a draft"


def test_what_another_client_sends_appears_too(screen, ana):
    told = ana.hears("Oi")
    screen.enter(ana)
    screen.opens("Marina")
    ana.made(f"/conversations/{told['conversation_id']}/messages", {"body": "From elsewhere"})
    screen.sees_message("From elsewhere")
    screen.sees_row("You: From elsewhere")
    ana.hears("Olá", "+5511900000055", name="Somebody New")  # the list says nothing, the status line does
    screen.until(
        lambda: "New message from Somebody New" in screen.run("return document.getElementById('said').textContent")
    )


def test_what_is_sent_here_stands_once(screen, ana):
    ana.hears("Oi")
    screen.enter(ana)
    screen.opens("Marina")
    screen.writes("only once")
    screen.sees_message("only once")
    time.sleep(0.5)
    assert screen.log().count("only once") == 1


def test_a_burst_of_500_costs_few_requests(screen, ana):
    ana.hears("Oi", at=1714569999)
    ana.hear_many([f"Customer {number} is there" for number in range(20)])
    screen.enter(ana)
    screen.opens("Marina")
    screen.until(lambda: "Live" in screen.text())
    time.sleep(1)
    screen.run("performance.clearResourceTimings(); performance.setResourceTimingBufferSize(2000)")
    ana.hear_many([f"Message number {number}" for number in range(499)], people=20)
    ana.hears("The last one", at=1714570000)
    screen.sees_message("The last one")
    time.sleep(1)
    assert len(screen.requests()) <= 10, "\n".join(screen.requests())


def test_ten_tabs_share_one_stream_and_the_next_takes_over(screen, ana):
    ana.hears("Oi")
    screen.enter(ana)
    driver = screen.driver
    first = driver.current_window_handle
    for _ in range(7):
        driver.switch_to.new_window("tab")
        screen.open()
        screen.find("list", "Conversations")
    last = driver.current_window_handle
    driver.switch_to.window(first)
    streams = len(screen.requests("/events/stream"))
    driver.switch_to.window(last)
    assert screen.requests("/events/stream") == [] or streams == 0
    ana.hears("Seen in every tab")
    screen.sees_row("Seen in every tab")
    driver.switch_to.window(first)
    screen.sees_row("Seen in every tab")


def test_after_a_restart_the_gap_is_caught_up(screen, house, ana):
    screen.allowed += ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "503", "ERR_"]
    ana.hears("Oi")
    screen.enter(ana)
    screen.opens("Marina")
    screen.until(lambda: "Live" in screen.text())
    port = int(house.address.rsplit(":", 1)[1])
    house.shut()
    screen.until(lambda: "Connecting" in screen.text())
    house.open(port)
    ana.hears("Said in the gap")
    screen.sees_message("Said in the gap")
    screen.until(lambda: "Live" in screen.text(), 10)


def test_a_hidden_tab_asks_for_nothing_and_still_counts(screen, ana):
    ana.hears("Oi")
    screen.enter(ana)
    screen.until(lambda: "Live" in screen.text() and screen.driver.title.startswith("(1)"))
    time.sleep(2.5)  # what the beginning asks for is answered
    script = """const state = arguments[0] ? "hidden" : "visible";
    Object.defineProperty(document, "hidden", {configurable: true, get: () => state === "hidden"});
    Object.defineProperty(document, "visibilityState", {configurable: true, get: () => state});
    performance.clearResourceTimings()"""
    screen.run(script, True)
    ana.hears("Alguém?", "+5511900000055", name="Somebody New")
    screen.sees_row("Somebody New")
    screen.until(lambda: screen.driver.title.startswith("(2)"))
    assert screen.requests() == []
    screen.run(script + '; document.dispatchEvent(new Event("visibilitychange"))', False)
    screen.until(lambda: [path for path in screen.requests() if "counts" in path])


# A line that can be cut, and an hour in which nothing goes through.
_LINE = """const beside = window.fetch;
window.line = new AbortController();
window.fetch = (address, asked = {}) => window.away
  ? Promise.reject(new TypeError("away"))
  : beside(address, {...asked, signal: AbortSignal.any([window.line.signal, asked.signal].filter(Boolean))})"""


def test_after_an_hour_away_what_was_missed_is_caught_up(screen, ana):
    ana.hears("Oi", at=1714569000)
    kept = screen.cdp("Page.addScriptToEvaluateOnNewDocument", source=_LINE)
    screen.enter(ana)
    screen.cdp("Page.removeScriptToEvaluateOnNewDocument", **kept)
    screen.opens("Marina").send_keys("a draft")
    screen.until(lambda: "Live" in screen.text())
    screen.run("window.away = true; window.line.abort()")
    screen.until(lambda: "Connecting" in screen.text())
    for _ in range(2):
        ana.hear_many([f"Message number {number}" for number in range(250)], people=50)
    ana.hears("The last one", at=1714580000)
    screen.run("performance.clearResourceTimings(); performance.setResourceTimingBufferSize(2000)")
    screen.run("window.away = false; window.line = new AbortController(); window.dispatchEvent(new Event('online'))")
    screen.until(lambda: "Live" in screen.text())
    assert "The last one" in screen.log()
    assert screen.find("textbox", "Message").get_attribute("value") == "a draft"
    assert len(screen.requests()) <= 10, "\n".join(screen.requests())
