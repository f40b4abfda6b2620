"""The list: what its rows show, how it is narrowed and searched, and what it costs."""

import time

from selenium.webdriver.common.keys import Keys

from tests.people import delivery


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


def test_the_title_counts_unread_conversations(screen, ana):
    screen.enter(ana)
    screen.find("list", "Conversations")
    screen.until(lambda: screen.driver.title == "Inbox – Alfred")
    ana.hears("Oi")
    screen.until(lambda: screen.driver.title == "(1) Inbox – Alfred")
    screen.opens("Marina")
    screen.until(lambda: screen.driver.title == "Marina Quintela – Alfred")


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
