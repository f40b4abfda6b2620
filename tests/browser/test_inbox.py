"""The list and the conversation: what they show, and by which keys they are used."""

import time

from selenium.webdriver.common.keys import Keys

from tests.people import delivery

HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script> "\'&lt; {{7*7}} ${1}'


def test_a_row_tells_name_text_and_what_presses(screen, ana):
    ana.hears("A mesa chegou quebrada, péssimo! Preciso de outra hoje, é urgente!")
    screen.enter(ana)
    row = screen.sees_row("Marina Quintela")
    for part in ("A mesa chegou quebrada", "Urgent", "Unhappy"):
        assert part in row
    (items,) = screen.all("list", "Conversations")
    (item,) = [each for each in items.find_elements("css selector", "*") if each.aria_role == "listitem"]
    assert len(item.find_elements("css selector", "a, button")) == 1


def test_filters_are_pressed_and_narrow_the_list(screen, ana):
    ana.hears("Preciso disso hoje, é urgente!", "+5511900000021", name="Urgent One")
    ana.hears("Qual o horário?", "+5511900000022", name="Calm One")
    screen.enter(ana)
    screen.sees_row("Calm One")
    urgent = next(each for each in screen.all("button") if each.text.startswith("Urgent"))
    urgent.click()
    screen.until(lambda: len(screen.rows()) == 1)
    assert "Urgent One" in screen.rows()[0]
    assert urgent.get_attribute("aria-pressed") == "true"


def test_search_finds_by_words(screen, ana):
    ana.hears("Tem cadeira de balanço?", "+5511900000021", name="Otto")
    ana.hears("Qual o horário?", "+5511900000022", name="Calm One")
    screen.enter(ana)
    screen.sees_row("Calm One")
    screen.fill("Search", "balanco", role="searchbox")
    screen.until(lambda: [row for row in screen.rows() if "Otto" in row] and len(screen.rows()) == 1)


def test_a_long_list_stays_small_in_the_document(screen, ana):
    ana.hear_many([f"Message number {number}" for number in range(160)])
    screen.enter(ana)
    screen.sees_row("Customer")
    for place in ("500", "4000", "1e6", "1e6", "0"):
        screen.run(f"document.querySelector('[role=list]').parentElement.scrollTop = {place}")
        screen.until(lambda: screen.run("return new Promise((go) => requestAnimationFrame(() => go(true)))"))
        assert 0 < len(screen.rows()) <= 80
        assert screen.run("return document.querySelectorAll('*').length") < 600
    screen.run("document.querySelector('[role=list]').parentElement.scrollTop = 1e6")
    screen.until(
        lambda: (
            screen.there('[aria-posinset="160"]')
            or screen.run("document.querySelector('[role=list]').parentElement.scrollTop = 1e6")
        )
    )


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


def test_the_title_counts_unread_conversations(screen, ana):
    screen.enter(ana)
    screen.find("list", "Conversations")
    screen.until(lambda: screen.driver.title == "Inbox – Alfred")
    ana.hears("Oi")
    screen.until(lambda: screen.driver.title == "(1) Inbox – Alfred")
    screen.opens("Marina")
    screen.until(lambda: screen.driver.title == "Marina Quintela – Alfred")


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
    assert screen.run("return document.documentElement.scrollWidth") <= 390
    screen.press("button", "Back")
    screen.find("list", "Conversations")
    assert screen.all("textbox", "Message") == []
    assert screen.run("return document.documentElement.scrollWidth") <= 390


def test_the_first_list_needs_little(screen, ana):
    ana.hears("Oi")
    screen.open()
    screen.fill("Email", ana.email)
    screen.find("textbox", "Email").send_keys(Keys.TAB, "a good password")
    screen.run(
        """window.scripts = () => performance.getEntriesByType("resource").filter((part) => part.name.endsWith(".js"))
          .reduce((sum, part) => sum + part.decodedBodySize, 0);
        new MutationObserver((_, watch) => {
          if (!document.querySelector(".row")) return;
          watch.disconnect();
          window.before = window.scripts();
        }).observe(document.body, {childList: true, subtree: true})"""
    )
    screen.press("button", "Log in")
    screen.sees_row("Marina")
    assert 10_000 < screen.run("return window.before") < 45_000


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


def test_what_is_marked_unread_stays_so_and_many_are_closed_at_once(screen, ana):
    ana.hears("Oi", "+5511900000021", name="First Person")
    ana.hears("Oi", "+5511900000022", name="Second Person")
    screen.enter(ana)
    screen.opens("First Person")

    def unread():
        return next(talk["unread_count"] for talk in ana.conversations() if talk["contact"]["name"] == "First Person")

    screen.until(lambda: unread() == 0)
    screen.press("button", "Mark unread")
    screen.until(lambda: unread() == 1)
    screen.press("button", "Select several")
    screen.press("button", "Select loaded")

    def close():
        group = next(each for each in screen.there("[role=group]") if each.accessible_name == "Select several")
        button = next(each for each in group.find_elements("css selector", "button") if each.text == "Close")
        return button.is_enabled() and (button.click() or True)

    screen.until(close)  # the bar is painted anew with what is chosen
    screen.until(lambda: {talk["status"] for talk in ana.conversations()} == {"closed"})


def test_the_order_and_a_tag_narrow_the_list(screen, ana):
    now = int(time.time())
    first = ana.hears("Primeira", "+5511900000021", name="Waits Longest", at=now - 600)
    ana.hears("Segunda", "+5511900000022", name="Came Last", at=now - 60)
    ana.patch(f"/conversations/{first['conversation_id']}", {"tags": ["mesa"]})
    screen.enter(ana)
    screen.until(lambda: [row.split("\n")[1] for row in screen.rows()] == ["Came Last", "Waits Longest"])
    screen.choose("Order", "Longest waiting first")
    screen.until(lambda: [row.split("\n")[1] for row in screen.rows()] == ["Waits Longest", "Came Last"])
    screen.choose("Tag", "mesa (1)")
    screen.until(lambda: [row.split("\n")[1] for row in screen.rows()] == ["Waits Longest"])
    screen.choose("Tag", "All tags")
    screen.until(lambda: len(screen.rows()) == 2)


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


def test_a_search_goes_through_closed_conversations_too(screen, ana):
    told = ana.hears("Tem cadeira de balanço?", "+5511900000021", name="Otto")
    ana.patch(f"/conversations/{told['conversation_id']}", {"status": "closed"})
    ana.hears("Qual o horário?", "+5511900000022", name="Calm One")
    screen.enter(ana)
    screen.until(lambda: len(screen.rows()) == 1)
    box = screen.fill("Search", "balanco", role="searchbox")
    screen.until(lambda: len(screen.rows()) == 1 and "Otto" in screen.rows()[0])
    box.send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.BACKSPACE)
    screen.until(lambda: len(screen.rows()) == 1 and "Calm One" in screen.rows()[0])


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


def test_the_list_tells_what_was_not_sent_and_when_it_is_no_longer_so(screen, ana):
    talk = ana.hears("Oi")["conversation_id"]
    screen.enter(ana)
    screen.sees_row("Marina Quintela")
    path = f"/conversations/{talk}/messages"
    ana.post(path, {"body": "Já vejo!", "external_id": "wamid.lost"})
    ana.post("/webhooks/whatsapp", delivery("wamid.lost", "failed"))
    assert "Já vejo!" in screen.sees_row("Not sent")
    ana.post(path, {"body": "De novo", "external_id": "wamid.again"})
    assert "Not sent" not in screen.sees_row("De novo")
