"""The web inbox among 100,000 conversations, in a real Chromium: first list, live messages, a storm, a long scroll."""

import json
import statistics
import time
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from bench.ground import PASSWORD, Service, User, fill, post, service, show, sign_up, spread, whatsapp
from bench.inbox import MANY, conversations_of
from bench.screenshot import chromium

LOG_INS, MESSAGES, BURST, STORM, HOUR = 5, 40, 200, 500, 5000
TOGETHER = 50  # messages in one post of a messenger
FRAMES, STEP = 200, 264  # pixels that a frame scrolls: three rows
MEGABYTE = 1e6

# Notes when the first row stands there, and when a text does.
_WATCH = """
window.seen = {};
window.watch = new MutationObserver(() => {
  if (!window.seen.row && document.querySelector(".row")) window.seen.row = performance.now() - window.pressed;
  const now = performance.timeOrigin + performance.now();
  for (const { textContent } of document.querySelectorAll(".row .snippet")) window.seen[textContent] ??= now;
});
window.watch.observe(document.body, {childList: true, subtree: true, characterData: true});
addEventListener("submit", () => (window.pressed = performance.now()), true);
"""
_SCROLL = """
const [frames, step, done] = arguments;
const list = document.querySelector(".list"), spans = [], work = [];
let last = performance.now(), elements = 0;
requestAnimationFrame(function frame(now) {
  spans.push(now - last); last = now;
  list.scrollTop += step;
  const began = performance.now();
  list.dispatchEvent(new Event("scroll"));
  work.push(performance.now() - began);
  elements = Math.max(elements, document.querySelectorAll("*").length);
  if (spans.length < frames) return requestAnimationFrame(frame);
  done([spans.slice(1), work, elements]);
});
"""


def main() -> None:
    """Measure, and print."""
    with service() as running:
        user = sign_up(running)
        fill(running, conversations_of(MANY), ("contacts", "conversations"), user)
        driver = chromium()
        driver.set_script_timeout(30)
        try:
            lists = [_log_in(driver, running, user) for _ in range(LOG_INS)]
            live = _live(driver, running, user)
            for number, events in enumerate((BURST, STORM)):
                asked, script = _storm(driver, running, user, events, 1000 * (number + 1))
                print(f"{events} events at once: {asked:.0f} requests, {script:.0f} ms of script")
            spans, work, elements = _scroll(driver)
            print(f"elements in the document while scrolling: at most {elements}; heap: {_heap(driver):.1f} MB")
            hour = _storm(driver, running, user, HOUR, 10_000)
            print(f"an hour's {HOUR:,} events: {hour[0]:.0f} requests; heap: {_heap(driver):.1f} MB")
        finally:
            driver.quit()
    rows = [
        ("log in, pressed to first list", *spread(lists)),
        ("webhook, sent to screen", *spread(live)),
        ("a frame while scrolling", *spread(spans)),
        ("of it the list's own work", *spread(work)),
    ]
    show(f"The web inbox among {MANY:,} conversations", ("milliseconds", "median", "p95", "max"), rows)


def _log_in(driver: webdriver.Chrome, running: Service, user: User) -> float:
    """Seconds from the pressed button to the first row."""
    driver.get(f"{running.address}/web/icon.svg")
    driver.delete_all_cookies()
    driver.execute_script("localStorage.clear()")
    driver.implicitly_wait(10)
    driver.get(running.address)
    driver.find_element(By.NAME, "email").send_keys(user.email)
    driver.execute_script(_WATCH)
    driver.find_element(By.NAME, "password").send_keys(PASSWORD, Keys.ENTER)
    driver.find_element(By.CSS_SELECTOR, ".live.on")
    return float(driver.execute_script("return window.seen.row")) / 1000


def _live(driver: webdriver.Chrome, running: Service, user: User) -> list[float]:
    """Seconds from each webhook's post to its text on the screen."""
    taken = []
    for number in range(MESSAGES):
        text = f"Preciso disso hoje {number}"
        began = time.time()
        post(running, "/webhooks/whatsapp", whatsapp(text, number % 20, number), user.headers)
        taken.append(_shown(driver, text) / 1000 - began)
    return taken


def _shown(driver: webdriver.Chrome, text: str) -> float:
    for _ in range(500):
        if at := driver.execute_script("return window.seen[arguments[0]]", text):
            return float(at)
        time.sleep(0.01)
    raise SystemExit(f"{text!r} did not appear.")


def _stands(driver: webdriver.Chrome, text: str) -> None:
    for _ in range(150):  # not by WebDriver's own `.text`: it would be counted as the page's script
        if driver.execute_script("return document.querySelector('.list').textContent.includes(arguments[0])", text):
            return
        time.sleep(0.2)
    raise SystemExit(f"{text!r} did not appear.")


def _storm(driver: webdriver.Chrome, running: Service, user: User, events: int, first: int) -> tuple[float, float]:
    """So many messages of twenty customers: requests of the page, and milliseconds of script."""
    driver.execute_script(
        "performance.clearResourceTimings(); performance.setResourceTimingBufferSize(5000);"
        "window.watch.disconnect(); document.querySelector('.list').scrollTop = 0"
    )
    before = _metrics(driver)["ScriptDuration"]
    for start in range(first, first + events, TOGETHER):
        post(running, "/webhooks/whatsapp", _together(range(start, start + TOGETHER)), user.headers)
    _stands(driver, f"Storm {first + events - 1}")
    time.sleep(1)
    asked = driver.execute_script(
        "return performance.getEntriesByType('resource').filter((part) => part.name.includes('/api/')).length"
    )
    return asked, (_metrics(driver)["ScriptDuration"] - before) * 1000


def _together(numbers: range) -> bytes:
    """One post of a messenger with these messages."""
    posts = [json.loads(whatsapp(f"Storm {number}", number % 20, number)) for number in numbers]
    values = [each["entry"][0]["changes"][0]["value"] for each in posts]
    whole = posts[0]
    whole["entry"][0]["changes"][0]["value"] |= {
        "contacts": [value["contacts"][0] for value in values],
        "messages": [value["messages"][0] for value in values],
    }
    return json.dumps(whole).encode()


def _scroll(driver: webdriver.Chrome) -> tuple[list[float], list[float], int]:
    """Seconds of each frame, and of the list's work in it; the most elements that stood in the document."""
    spans, work, elements = driver.execute_async_script(_SCROLL, FRAMES, STEP)
    print(f"{len(spans) + 1} frames scrolled; median {statistics.median(spans):.1f} ms")
    return [span / 1000 for span in spans], [each / 1000 for each in work], elements


def _heap(driver: webdriver.Chrome) -> float:
    """Megabytes in use after a collection."""
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    return float(_metrics(driver)["JSHeapUsedSize"]) / MEGABYTE


def _metrics(driver: webdriver.Chrome) -> dict[str, Any]:
    driver.execute_cdp_cmd("Performance.enable", {})
    return {each["name"]: each["value"] for each in driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}


if __name__ == "__main__":
    main()
