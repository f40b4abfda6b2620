"""The inbox by keyboard alone, and on a phone."""

import json

from selenium.webdriver.common.keys import Keys

from alfred.api.site import FOLDER


def test_by_keyboard_alone(screen, ana):
    ana.hears("Primeira", "+5511900000021", name="First Person")
    ana.hears("Segunda", "+5511900000022", name="Second Person", at=1714564900)
    screen.enter(ana)
    screen.sees_row("First Person")
    for _ in range(30):
        screen.keys(Keys.TAB)
        if "Person" in screen.focused()[1]:
            break
    assert "Second Person" in screen.focused()[1]
    screen.keys(Keys.ARROW_DOWN)
    assert "First Person" in screen.focused()[1]
    screen.keys(Keys.ENTER)
    screen.until(lambda: screen.focused() == ("textbox", "Message"))
    screen.keys("Bom dia", Keys.SHIFT, Keys.ENTER, Keys.NULL, "de novo", Keys.ENTER)
    screen.sees_message("de novo")
    screen.until(
        lambda: (
            [m["body"] for m in ana.messages(ana.conversations()[1]["id"])][:1] == ["Bom dia\nde novo"]
            or [m["body"] for m in ana.messages(ana.conversations()[0]["id"])][:1] == ["Bom dia\nde novo"]
        )
    )


def test_shortcuts_work_and_are_off_while_typing(screen, ana):
    ana.hears("Oi")
    screen.enter(ana)
    screen.sees_row("Marina")
    screen.keys("j")
    screen.keys(Keys.ENTER)
    box = screen.find("textbox", "Message")
    box.send_keys("jkxe/")
    assert box.get_attribute("value") == "jkxe/"
    screen.keys(Keys.ESCAPE)
    screen.keys("e")
    screen.until(lambda: ana.conversations()[0]["status"] == "closed")
    screen.press("button", "Undo")
    screen.until(lambda: ana.conversations()[0]["status"] == "open")
    screen.keys("/")
    assert screen.focused()[0] == "searchbox"


# How far the hint of the box is wider than its place, in pixels, beside a button of this language.
_CUT = """const [box, hint, send] = arguments, style = getComputedStyle(box);
document.querySelector(".send .said").textContent = send;
const brush = document.createElement("canvas").getContext("2d");
brush.font = style.font;
const room = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
return brush.measureText(hint).width - room"""


def test_on_a_phone_one_pane_at_a_time(screen, ana):
    ana.hears("Oi, " + "comprida " * 40)
    screen.emulate(390, 844)
    screen.enter(ana)
    screen.opens("Marina")
    send, box = screen.find("button", "Send"), screen.find("textbox", "Message")
    for part in (send, box):
        place = part.rect
        assert place["y"] + place["height"] <= 844
        assert place["x"] + place["width"] <= 390
    assert send.rect["height"] >= 40
    assert send.rect["width"] >= 40
    assert box.value_of_css_property("font-size") == "16px"
    for file in (FOLDER / "words").glob("*.more.json"):
        words = json.loads(file.read_text(encoding="utf-8"))
        assert screen.run(_CUT, box, words["write"], words["send"]) <= 0, file.name
    assert screen.run("return document.documentElement.scrollWidth") <= 390
    screen.press("button", "Back")
    screen.find("list", "Conversations")
    assert screen.all("textbox", "Message") == []
    assert screen.run("return document.documentElement.scrollWidth") <= 390


# What can be pressed in the conversation, unless it stands in a line of text.
_TARGETS = """return [...document.querySelectorAll(".talk :is(button, a, input, select, textarea, summary)")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.ariaLabel || each.textContent || each.className, each.getBoundingClientRect()])
  .filter(([, {width, height}]) => Math.min(width, height) < 44)
  .map(([name, {width, height}]) => `${name}: ${width} x ${height}`)"""


def test_on_a_phone_everything_in_a_conversation_can_be_pressed(screen, ana):
    told = ana.hears("Oi")
    path = f"/conversations/{told['conversation_id']}"
    ana.made(f"{path}/messages", {"body": "Olá!", "reply_to_id": told["message_id"]})
    ana.patch(path, {"tags": ["vip"], "status": "snoozed", "snoozed_until": "2100-01-01T00:00:00Z"})
    screen.emulate(390, 844)
    screen.enter(ana, f"/#/inbox/{told['conversation_id']}")
    screen.sees_message("Olá!")
    assert screen.run(_TARGETS) == []
    assert screen.run("return document.documentElement.scrollWidth") <= 390
    screen.press("button", "Reply")
    screen.find("button", "Remove quote")


def test_a_dialog_is_left_by_a_button_and_the_focus_comes_back(screen, ana):
    ana.hears("Oi")
    screen.enter(ana)
    screen.opens("Marina")
    screen.press("button", "Snooze")
    screen.press("button", "Choose a date")
    screen.find("dialog", "Choose a date")
    screen.press("button", "Cancel")
    screen.until(lambda: not screen.there("dialog"))
    screen.press("button", "Snooze")
    next(each for each in screen.all("button") if each.text.startswith("1 hour")).click()
    screen.until(lambda: ana.conversations()[0]["status"] == "snoozed")
    screen.press("button", "Undo")
    screen.until(lambda: ana.conversations()[0]["status"] == "open")
