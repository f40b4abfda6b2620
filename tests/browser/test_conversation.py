"""The conversation and its contact: what is shown, written, suggested, sent again and merged."""

import time

from selenium.webdriver.common.keys import Keys

from tests.people import delivery

HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script> "\'&lt; {{7*7}} ${1}'


def test_hostile_texts_are_text(screen, ana):
    ana.hears(HOSTILE, name=HOSTILE[:60])
    screen.enter(ana)
    screen.opens("<img src=x")
    screen.sees_message(HOSTILE)
    assert "<img src=x" in screen.find("heading", HOSTILE[:60]).text


def test_a_draft_stays_over_a_reload_and_with_its_conversation(screen, ana):
    ana.hears("Oi", "+5511900000021", name="First Person")
    ana.hears("Oi", "+5511900000022", name="Second Person")
    screen.enter(ana)
    screen.opens("First Person").send_keys("half a thought")
    screen.opens("Second Person")
    screen.until(lambda: screen.find("textbox", "Message").get_attribute("value") == "")
    screen.driver.refresh()
    screen.opens("First Person")
    screen.until(lambda: screen.find("textbox", "Message").get_attribute("value") == "half a thought")


# Whether the line above what is unread, and the last message, are in sight.
_IN_SIGHT = """const bottom = document.querySelector(".log").getBoundingClientRect().bottom;
return [".newmark", ".message:last-of-type"].map((css) => document.querySelector(css))
  .map((element) => element && element.getBoundingClientRect().top < bottom)"""


def test_it_opens_at_the_first_unread_and_else_at_the_end(screen, ana):
    ana.hear_many([f"Message number {number}" for number in range(40)], people=1)
    screen.enter(ana)
    for mark, last in ((True, False), (None, True)):
        screen.opens("Customer 0")
        screen.sees_message("Message number 39")
        screen.until(lambda seen=[mark, last]: screen.run(_IN_SIGHT) == seen)
        screen.until(lambda: ana.conversations()[0]["unread_count"] == 0)
        screen.run("location.hash = '#/inbox'")


def test_a_suggestion_is_used_and_its_gaps_are_asked_for(screen, ana):
    ana.hears("Qual o prazo de entrega para Niterói?")
    screen.enter(ana)
    screen.opens("Marina")
    screen.press("button", "Suggest reply")
    screen.press("button", "Use it")
    box = screen.find("textbox", "Message")
    screen.until(lambda: box.get_attribute("value"))
    box.clear()
    box.send_keys("O prazo é {{prazo}}.", Keys.ENTER)
    screen.until(lambda: "Fill in {{prazo}}" in screen.text())
    box.send_keys("de 3 dias", Keys.ENTER)
    screen.sees_message("O prazo é de 3 dias.")


def test_written_offline_it_is_queued_and_sent_once(screen, ana):
    screen.allowed += ["ERR_INTERNET_DISCONNECTED", "net::"]
    ana.hears("Oi")
    screen.enter(ana)
    screen.opens("Marina")
    screen.cdp("Network.enable")
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    screen.cdp("Network.emulateNetworkConditions", offline=True, **offline)
    screen.writes("one")
    screen.writes("two")
    screen.until(lambda: screen.log().count("Queued") == 2)
    screen.cdp("Network.emulateNetworkConditions", offline=False, **offline)
    (talk,) = ana.conversations()

    def sent():  # newest first
        return [message["body"] for message in ana.messages(talk["id"]) if message["direction"] == "outbound"]

    screen.until(lambda: len(sent()) == 2)
    screen.until(lambda: "Queued" not in screen.log() and "Sending" not in screen.log())
    assert sent() == ["two", "one"]


def test_a_failed_message_says_why_and_can_be_sent_again(screen, ana):
    screen.allowed += ["409"]
    told = ana.hears("Oi")
    ana.made(f"/conversations/{told['conversation_id']}/messages", {"body": "Bom dia", "external_id": "wamid.out1"})
    errors = [{"code": 131026, "title": "Message undeliverable"}]
    ana.post("/webhooks/whatsapp", delivery("wamid.out1", "failed", errors=errors))
    screen.enter(ana)
    screen.opens("Marina")
    screen.sees_message("Not sent: The messenger does not know this recipient")
    screen.sees_message("Check the number.")
    screen.press("button", "Try again")
    screen.until(lambda: "not connected" in screen.text() or "cannot be sent again" in screen.text())


def test_a_closed_window_is_told_before_one_writes(screen, ana):
    ana.hears("Faz tempo", at=1714564800)
    ana.hears("Agora mesmo", "+5511900000099", name="Fresh Person", at=int(time.time()) - 60)
    screen.enter(ana)
    screen.opens("Marina")
    screen.until(lambda: "The time to answer freely is over." in screen.text())
    screen.opens("Fresh Person")
    screen.until(lambda: screen.find("heading", "Fresh Person"))
    assert "The time to answer freely is over." not in screen.text()


def test_a_template_goes_where_free_text_may_not(screen, ana):
    told = ana.hears("Faz tempo", at=1714564800)
    screen.enter(ana)
    screen.opens("Marina")
    screen.press("button", "Send a template")
    screen.find("dialog", "Send a template")
    dialog = screen.there("dialog")[0]
    name = dialog.find_element("name", "name")
    name.clear()
    dialog.find_element("css selector", "form button:not([type=button])").click()
    screen.until(lambda: "Name a template." in screen.text())
    name.send_keys("order_update")
    screen.fill("Texts to fill in", "Marina")
    dialog.find_element("css selector", "form button:not([type=button])").click()
    screen.sees_message("Template: order_update")  # at once, before the answer
    screen.until(lambda: ana.messages(told["conversation_id"])[0]["template"])
    sent = ana.messages(told["conversation_id"])[0]
    assert (sent["template"]["name"], sent["template"]["variables"]) == ("order_update", ["Marina"])


def test_a_contact_is_renamed_in_place(screen, ana):
    ana.hears("Oi")
    screen.enter(ana)
    screen.opens("Marina")
    screen.find("textbox", "Name").send_keys(Keys.CONTROL, "a", Keys.NULL, "Marina Q.", Keys.TAB)
    screen.sees_row("Marina Q.")
    screen.until(lambda: ana.conversations()[0]["contact"]["name"] == "Marina Q.")


def test_a_merge_chooses_who_stays_and_is_undone_from_the_history(screen, ana):
    ana.hears("Oi", "+5511900000021", name="First Person")
    ana.hears("Oi", "+5511900000022", name="Second Person", at=1714564900)
    screen.enter(ana)
    screen.opens("First Person")
    screen.press("button", "Merge")
    found = screen.until(lambda: [each for each in screen.there("dialog .button") if "Second Person" in each.text])
    found[0].click()
    screen.press("button", "Keep the other one")
    dialog = screen.there("dialog")[0]
    next(each for each in dialog.find_elements("css selector", ".ends button") if each.text == "Merge").click()
    screen.until(lambda: {talk["contact"]["name"] for talk in ana.conversations()} == {"Second Person"})
    screen.until(lambda: screen.find("textbox", "Name").get_attribute("value") == "Second Person")
    screen.press("button", "Undo the merge")
    screen.until(lambda: len({talk["contact"]["name"] for talk in ana.conversations()}) == 2)
