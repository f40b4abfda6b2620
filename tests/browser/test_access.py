"""For everybody: axe-core finds nothing serious, in light and dark, on a desk and on a phone; forced colours too."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from alfred.api.site import FOLDER

SCREENS = ("inbox", "talk", "tasks", "contacts", "rules", "flows", "reports", "channels", "notifications", "settings")


# What can be pressed and not be reached by Tab; the rows of the list are one stop.
_UNREACHED = """return [...document.querySelectorAll("button, a[href], input, select, textarea, [role=button]")]
  .filter((element) => element.checkVisibility() && !element.disabled)
  .filter((element) => element.tabIndex < 0 && !element.closest("[role=listitem]"))
  .map((element) => element.outerHTML.slice(0, 120))"""

# What is smaller than a finger, or a pointer, hits; a label is pressed with its box.
_SMALL = """return [...document.querySelectorAll("button, select, input, summary, [role=button], .rail a, .row a")]
  .filter((element) => element.checkVisibility() && !element.disabled)
  .map((element) => [element, (element.closest("label") ?? element).getBoundingClientRect()])
  .filter(([, place]) => place.width > 1 && (place.height < arguments[0] || place.width < Math.min(arguments[0], 32)))
  .map(([element, place]) => `${place.width} x ${place.height} ${element.outerHTML.slice(0, 120)}`)"""


# In how many rows the buttons of a page stand.
_ROWS = """return new Set([...document.querySelectorAll(".page > header .actions > *")]
  .map((element) => Math.round(element.getBoundingClientRect().top))).size"""

# A key of a word that is missing is shown as it is.
_WORDS = json.loads((FOLDER / "words" / "en.more.json").read_text(encoding="utf-8"))
_KEY = re.compile(rf"\b(?:{'|'.join({key.split('.')[0] for key in _WORDS if '.' in key})})\.[a-z_]+")


@pytest.fixture(scope="package")
def axe():
    """The script that a package carries; its Python code is not run."""
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("no axe-core here")
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shop(house):
    """A seller with something on every screen."""
    ana = house.signs_up("Shop")
    told = ana.hears("A mesa chegou quebrada, péssimo! Preciso de outra hoje, é urgente!")
    ana.hears("Faz por 80 reais?", "+5511900000077", name="W" * 60)
    ana.made(f"/conversations/{told['conversation_id']}/messages", {"body": "Sentimos muito. " + "Longa" * 60})
    ana.patch(f"/conversations/{told['conversation_id']}", {"tags": ["mesa", "uma etiqueta comprida"]})
    task = {"title": "Ligar", "priority": "urgent", "due_date": "2020-01-01"}
    ana.made("/tasks", task | {"conversation_id": told["conversation_id"]})
    ana.made("/rules", {"text": "Se a mensagem for urgente, me avise"})
    nodes = [
        {"id": "a", "type": "condition", "when": {"field": "message.urgency", "op": "eq", "value": "high"}, "yes": "b"},
        {"id": "b", "type": "action", "action": {"action": "notify"}, "next": None},
    ]
    flow = ana.made("/flows", {"name": "Triagem", "definition": {"start": "a", "nodes": nodes}})
    ana.talk, ana.flow = told["conversation_id"], flow["id"]
    return ana


def go(screen, shop, name):
    path = {"talk": f"inbox/{shop.talk}", "flow": f"flows/{shop.flow}"}.get(name, name)
    screen.run("location.hash = '#/' + arguments[0]", path)
    screen.until(lambda: screen.there("h1"))
    screen.until(lambda: len(screen.there("[role=listitem], .card, .rows, .board, [role=log] .message")) > 0)


@pytest.mark.parametrize(
    ("width", "height", "dark", "locale"),
    [(1440, 900, False, "en"), (1440, 900, True, "es"), (390, 844, False, "en"), (390, 844, True, "pt-BR")],
)
def test_axe_finds_nothing_serious_and_every_word_is_there(screen, shop, axe, width, height, dark, locale):
    """The keyboard reaches everything, too, and nothing scrolls sideways."""
    shop.patch("/me", {"locale": locale})
    screen.emulate(width, height, dark=dark)
    screen.open()
    screen.find("button", "Log in")
    found = {"door": screen.violations(axe)}
    screen.enter(shop)
    for name in (*SCREENS, "flow"):
        go(screen, shop, name)
        found[name] = screen.violations(axe)
        assert screen.run(_UNREACHED) == [], name
        if name != "talk" or width >= 760:
            found[f"{name}: too small"] = screen.run(_SMALL, 44 if width < 760 else 24)
        assert len([h1 for h1 in screen.there("h1") if h1.is_displayed()]) == 1, name
        assert screen.run("return document.documentElement.scrollWidth") <= width, name
        assert name != "flow" or screen.run(_ROWS) == 1
        assert _KEY.findall(screen.text()) == [], name
    shop.patch("/me", {"locale": "en"})
    assert {name: what for name, what in found.items() if what} == {}


def test_forced_colours_keep_what_is_pressed(screen, shop):
    screen.emulate(forced=True)
    screen.enter(shop)
    pressed = screen.until(lambda: screen.there('.chip[aria-pressed="true"]'))[0]
    assert pressed.value_of_css_property("outline-style") == "solid"
    screen.opens("Marina")
    chosen = screen.until(lambda: screen.there(".row a[aria-current]"))[0]
    assert chosen.value_of_css_property("outline-style") == "solid"


_CUT = """return [...document.querySelectorAll("h1, button, select, input, textarea, .message")]
  .filter((element) => element.checkVisibility() && !element.closest(".chips, .helps, .flow, dialog, .away, .scrolls"))
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, place]) => place.width > 1 && (place.left < -1 || place.right > innerWidth + 1))
  .map(([element]) => element.outerHTML.slice(0, 120))"""


def test_at_400_percent_nothing_is_cut_or_scrolls_sideways(screen, shop):
    """1280 x 1024 at 400 % are 320 x 256 CSS pixels."""
    screen.emulate(320, 256)
    screen.enter(shop)
    for name in (*SCREENS, "flow"):
        go(screen, shop, name)
        assert screen.run("return document.documentElement.scrollWidth") <= 320, name
        assert screen.run(_CUT) == [], name
    go(screen, shop, "inbox")
    screen.opens("Marina")
    box = screen.find("textbox", "Message")
    assert box.location_once_scrolled_into_view["y"] + box.rect["height"] <= 256
    assert screen.there("[role=log]")[0].rect["height"] >= 60
