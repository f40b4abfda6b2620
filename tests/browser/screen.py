"""What a person sees and does: things are found by role and name, as those do who cannot see the page."""

import json
import time

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    StaleElementReferenceException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

# Where a role can stand in HTML.
_TAGS = {
    "button": "button",
    "textbox": "input,textarea",
    "searchbox": "input",
    "link": "a",
    "list": "ul,ol,[role=list]",
    "log": "[role=log]",
    "heading": "h1,h2,h3,h4",
    "combobox": "select",
    "switch": "[role=switch]",
    "checkbox": "input[type=checkbox]",
    "dialog": "dialog",
    "alert": "[role=alert]",
}
# What is not yet, or not any more, as it was looked for.
_PASSING = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    LookupError,
    StaleElementReferenceException,
)
_CANDIDATES = """
const name = arguments[1];
return [...document.querySelectorAll(arguments[0])].filter((element) => {
  if (!element.checkVisibility()) return false;
  if (name === null) return true;
  const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
  return label.includes(name) || element.hasAttribute("aria-labelledby");
});
"""


def start_chromium(browser, driver):
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--lang=en-US",
        "--disable-background-timer-throttling",
        "--disable-renderer-backgrounding",
        "--disable-backgrounding-occluded-windows",
        "--disable-component-update",
        "--disable-background-networking",
        "--no-first-run",
        "--disable-site-isolation-trials",
        "--disable-features=IsolateOrigins,site-per-process,SpareRendererForSitePerProcess,BackForwardCache,Translate,MediaRouter,OptimizationHints",
        "--renderer-process-limit=1",
        "--force-prefers-reduced-motion",  # a sixth of what a test costs is moving pictures
        "--disable-smooth-scrolling",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "en-US"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.enable_bidi = False
    window = webdriver.Chrome(options=options, service=Service(driver))
    window.set_script_timeout(60)  # a busy machine paints the documentation for more than ten
    return window


class Screen:
    """A window of the browser."""

    def __init__(self, driver, address):
        self.driver, self.address = driver, address
        # What the console may say, where a test breaks something on purpose.
        self.allowed = []

    def begin(self):
        self.emulate()
        self.rest()
        self.driver.delete_all_cookies()
        self.run("localStorage.clear(); sessionStorage.clear()")
        self.driver.get_log("browser")

    def end(self):
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        for handle in self.driver.window_handles[1:]:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])
        self.rest()
        unwanted = [text for text in said if not any(part in text for part in self.allowed)]
        assert unwanted == [], unwanted

    def rest(self):
        """Where nothing runs; to come from anywhere costs as much as a small page."""
        if self.driver.current_url != (picture := f"{self.address}/web/icon.svg"):
            self.driver.get(picture)

    def emulate(self, width=1440, height=900, *, dark=False, forced=False):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 760}
        self.cdp("Emulation.setDeviceMetricsOverride", **size)
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "forced-colors": "active" if forced else "none",
        }
        features["prefers-reduced-motion"] = "reduce"
        told = [{"name": name, "value": value} for name, value in features.items()]
        self.cdp("Emulation.setEmulatedMedia", features=told)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=width < 760)

    def cdp(self, command, **more):
        return self.driver.execute_cdp_cmd(command, more)

    def run(self, script, *given):
        return self.driver.execute_script(script, *given)

    def speaks(self, locale):
        """What the browser prefers."""
        agent = self.run("return navigator.userAgent")
        self.cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=locale)

    def open(self, path="/"):
        self.driver.get(self.address + path)

    def enter(self, person, path="/"):
        """Logs in by the same call as the form, which has its own tests."""
        self.rest()
        status = self.driver.execute_async_script(
            """const [email, password, done] = arguments;
            fetch("/api/v1/session", {method: "POST", headers: {"Content-Type": "application/json"},
              body: JSON.stringify({email, password})}).then((answer) => done(answer.status));
            localStorage.setItem("alfred.visited", "yes");""",
            person.email,
            "a good password",
        )
        assert status == 200
        self.open(path)
        self.until(lambda: self.there("nav"))

    def there(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def all(self, role, name=None):
        """Every visible thing of this role whose name is this."""
        candidates = self.run(_CANDIDATES, _TAGS[role], name)
        if name is None:
            return [each for each in candidates if each.aria_role == role]
        return [each for each in candidates if each.accessible_name.strip() == name and each.aria_role == role]

    def find(self, role, name, seconds=30.0):
        """The one thing of this role and name, as soon as it is there."""
        return self.until(lambda: self.all(role, name), seconds, f"{role} {name!r}")[0]

    def press(self, role, name, seconds=30.0):
        """Presses what may still be painted anew."""

        def pressed():
            self.all(role, name)[0].click()
            return True

        self.until(pressed, seconds, f"{role} {name!r}")

    def choose(self, name, text):
        """An entry of a list that may still be painted anew."""

        def chosen():
            Select(self.all("combobox", name)[0]).select_by_visible_text(text)
            return True

        self.until(chosen, what=f"combobox {name!r}")

    def fill(self, name, text, role="textbox"):
        element = self.find(role, name)
        element.clear()
        element.send_keys(text)
        return element

    def keys(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self):
        """Role and name of what has the focus."""
        element = self.driver.switch_to.active_element
        return element.aria_role, element.accessible_name

    def until(self, question, seconds=30.0, what="what was waited for"):
        deadline, pause = time.monotonic() + seconds, 0.03
        while True:
            try:
                if answer := question():
                    return answer
            except _PASSING:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come; the page shows:\n{self.text()[:1500]}")
            time.sleep(pause)
            pause = min(1.3 * pause, 0.2)  # who asks more often slows down what is waited for

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def rows(self):
        """What the rows of the list say, in their order."""
        script = """return [...document.querySelectorAll('[role=list][aria-label] > [role=listitem]')]
          .sort((one, other) => one.ariaPosInSet - other.ariaPosInSet).map((row) => row.innerText)"""
        return self.run(script)

    def sees_row(self, text, seconds=30.0):
        return self.until(lambda: [row for row in self.rows() if text in row], seconds, f"a row with {text!r}")[0]

    def log(self):
        return self.find("log", "Messages").text

    def sees_message(self, text, seconds=30.0):
        self.until(lambda: text in self.log(), seconds, f"a message {text!r}")

    def opens(self, name):
        """Opens the conversation with somebody; its box has the focus then."""
        self.sees_row(name)
        links = [each for each in self.run(_CANDIDATES, _TAGS["link"], name) if name in each.text]
        next(each for each in links if each.aria_role == "link").click()
        return self.find("textbox", "Message")

    def writes(self, text):
        box = self.find("textbox", "Message")
        box.send_keys(text, Keys.ENTER)

    def requests(self, part="/api/v1/"):
        """Paths asked for since the page was loaded."""
        script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
        return [name for name in self.run(script) if part in name]

    def violations(self, source):
        """What axe-core calls serious or critical, with the places."""
        if not self.run("return typeof window.axe === 'object'"):
            self.cdp("Runtime.evaluate", expression=source)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = self.driver.execute_async_script(
            """const [tags, done] = arguments;
            axe.run(document, {runOnly: tags, resultTypes: ["violations"], selectors: false}).then(
              (told) => done(told.violations), (error) => done([String(error)]))""",
            tags,
        )
        assert all(isinstance(each, dict) for each in found), found
        return [
            f"{each['id']}: {node['html'][:160]} {json.dumps(node['any'][:1])[:300]}"
            for each in found
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]
