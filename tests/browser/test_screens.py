"""The screens beside the inbox, each used once for what it is there for."""

import base64
import json
import time

import aiohttp
import pytest

from tests.browser.conftest import House
from tests.browser.screen import Screen

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NODES = [
    {"id": "a", "type": "condition", "when": {"field": "message.urgency", "op": "eq", "value": "high"}, "yes": "b"},
    {"id": "b", "type": "action", "action": {"action": "notify"}, "next": None},
]


def test_a_rule_begins_with_an_example_is_tried_and_enabled(screen, ana):
    ana.hears("Preciso disso hoje, é urgente!")
    screen.enter(ana, "/#/rules")
    screen.press("button", "If a message is urgent, create a task 'Answer now'")
    screen.press("button", "See what it would have caught")
    screen.until(lambda: "Would have caught 1 of the last" in screen.text())
    screen.press("button", "Enable rule")
    screen.until(lambda: [rule["enabled"] for rule in ana.get("/rules")[1]["items"]] == [True])


def test_a_flow_is_simulated_and_told(screen, ana):
    flow = ana.made("/flows", {"name": "Triage", "definition": {"start": "a", "nodes": NODES}})
    screen.enter(ana, f"/#/flows/{flow['id']}")
    screen.fill("A customer writes", "Preciso disso hoje, é urgente!")
    screen.press("button", "Simulate")
    screen.until(lambda: screen.there(".node.action.passed"))
    assert "Notify me" in screen.text()


def test_a_task_changes_its_column_by_its_status(screen, ana):
    task = ana.made("/tasks", {"title": "Ligar"})
    screen.enter(ana, "/#/tasks")
    screen.choose("Status of Ligar", "Done")
    screen.until(lambda: ana.get(f"/tasks/{task['id']}")[1]["status"] == "done")
    screen.press("button", "Undo")
    screen.until(lambda: ana.get(f"/tasks/{task['id']}")[1]["status"] == "open")


def test_a_plot_says_what_it_shows_and_has_its_table(screen, ana):
    screen.enter(ana, "/#/reports")
    screen.until(lambda: "Nothing to report yet" in screen.text())
    ana.hears("Oi", at=int(time.time()) - 60)
    screen.driver.refresh()
    screen.until(lambda: "1 came in, 0 went out." in screen.text())
    screen.press("button", "Show as table")
    screen.until(lambda: len(screen.there("table tbody tr")) == 14)


@pytest.fixture
def public(cluster, driver):
    """A service that messengers could fetch files from."""
    house = House(cluster.app(cluster.copy()), public_url="http://shop.example.com")
    yield house
    house.close()


def test_a_picture_opens_in_place(driver, public):
    ana = public.signs_up()
    told = ana.hears("Oi")
    form = aiohttp.FormData()
    form.add_field("file", PIXEL, filename="pixel.png", content_type="image/png")
    status, _, raw = ana.call("POST", "/media", data=form)
    assert status in {200, 201}, raw
    picture = {"type": "image", "url": json.loads(raw)["url"], "mime_type": "image/png", "caption": "A pixel"}
    ana.made(f"/conversations/{told['conversation_id']}/messages", {"attachments": [picture]})
    screen = Screen(driver, public.address)
    screen.begin()
    screen.enter(ana)
    screen.opens("Marina")
    screen.until(lambda: screen.there(".bubble button .photo")[0].click() is None)
    screen.find("dialog", "A pixel")
    screen.until(lambda: screen.run("return document.querySelector('dialog img')?.naturalWidth") == 1)
    screen.press("button", "Cancel")
    screen.end()
