"""The door, and the session behind it."""

from selenium.webdriver.common.keys import Keys


def test_email_and_password_lead_to_the_list(screen, ana):
    ana.hears("Oi, tudo bem?")
    screen.open()
    email = screen.find("textbox", "Email")
    assert email.get_attribute("autocomplete") == "username"
    password = next(each for each in screen.there("input") if each.accessible_name == "Password")
    assert password.get_attribute("autocomplete") == "current-password"
    email.send_keys(ana.email)
    password.send_keys("a good password")
    screen.press("button", "Log in")
    screen.find("list", "Conversations")
    screen.sees_row("Marina Quintela")


def test_a_refusal_is_told_in_an_alert(screen, ana):
    screen.allowed += ["401"]
    screen.open()
    screen.fill("Email", ana.email)
    screen.find("textbox", "Email").send_keys(Keys.TAB, "wrong")
    screen.press("button", "Log in")
    screen.until(lambda: "wrong" in screen.all("alert")[0].text)


def test_a_fault_stands_beside_its_field_which_gets_the_focus(screen, house):
    screen.allowed += ["422"]
    screen.open()
    screen.press("button", "Make an account")
    screen.fill("Name", "Bruno")
    screen.fill("Email", "no address")
    screen.press("button", "Make account")
    field = screen.until(lambda: screen.there("[aria-invalid=true]"))[0]
    assert field.accessible_name == "Email"
    assert screen.focused() == ("textbox", "Email")


def test_a_new_account_is_led_to_its_first_message(screen, house):
    screen.open()
    screen.press("button", "Make an account")
    screen.fill("Name", "Bruno")
    screen.fill("Email", f"bruno{id(screen)}@example.com")
    screen.find("textbox", "Email").send_keys(Keys.TAB, "a good password", Keys.ENTER)
    screen.press("button", "Try it")
    screen.sees_row("Marina Quintela")
    screen.sees_message("Lagoa")


def test_no_script_sees_a_token(screen, ana):
    screen.enter(ana)
    kept = screen.run("return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "ey" not in kept.replace("key", "")
    assert "alf_" not in kept


def test_a_reload_and_a_second_tab_stay_logged_in(screen, ana):
    screen.enter(ana)
    screen.driver.refresh()
    screen.find("list", "Conversations")
    screen.driver.switch_to.new_window("tab")
    screen.open()
    screen.find("list", "Conversations")


def test_eight_tabs_at_once_stay_logged_in_and_leave_together(screen, ana):
    screen.enter(ana)
    screen.run("for (let tab = 0; tab < 7; tab++) open(location.href)")
    driver = screen.driver
    screen.until(lambda: len(driver.window_handles) == 8)
    for handle in driver.window_handles:
        driver.switch_to.window(handle)
        screen.find("list", "Conversations", 15)
    for handle in driver.window_handles[:3]:
        driver.switch_to.window(handle)
        screen.run("location.reload()")
    for handle in driver.window_handles[:3]:
        driver.switch_to.window(handle)
        screen.find("list", "Conversations", 15)
    screen.allowed.append("401 (Unauthorized)")  # a tab that has not heard of it yet may ask once more
    screen.press("button", "Log out")
    for handle in driver.window_handles:
        driver.switch_to.window(handle)
        screen.find("button", "Log in")


def test_a_lost_answer_does_not_log_out(screen, ana):
    """The same cookie twice, as when the first answer never arrived."""
    screen.enter(ana)
    spent = screen.driver.get_cookies() or screen.cdp("Network.getAllCookies")["cookies"]
    session = next(cookie for cookie in spent if cookie["name"] == "alfred_session")
    screen.driver.refresh()
    screen.find("list", "Conversations")
    keep = {name: session[name] for name in ("name", "value", "path", "httpOnly")}
    screen.cdp("Network.setCookie", url=f"{screen.address}/api/v1/session", sameSite="Strict", **keep)
    screen.driver.refresh()
    screen.find("list", "Conversations")


def test_the_page_and_its_parts_carry_their_headers(ana):
    policy = "default-src 'none'; script-src 'self'; style-src 'self'"
    for path in ("/", "/web/main.js", "/web/icons.svg", "/web/css/tokens.css"):
        status, headers, _ = ana.call("GET", f"{ana.person.address}{path}")
        assert status == 200
        assert headers["Content-Security-Policy"].startswith(policy)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        again, _, body = ana.call("GET", f"{ana.person.address}{path}", headers={"If-None-Match": headers["ETag"]})
        assert (again, body) == (304, b"")
    for path in ("/web/../settings.py", "/web/%2e%2e/settings.py", "/web/screens", "/web/nothing.js"):
        assert ana.call("GET", f"{ana.person.address}{path}")[0] == 404


def test_the_viewer_of_the_documentation_works_and_keeps_no_token(screen, ana):
    screen.allowed += ["autocomplete"]  # of the viewer's own fields; what its policy refuses would be seen
    screen.driver.get(f"{screen.address}/api/v1/docs")
    screen.until(lambda: screen.run("return document.querySelectorAll('.opblock').length > 50"), 60)
    screen.run("document.querySelector('.btn.authorize').click()")
    screen.until(lambda: screen.run("return document.querySelectorAll('.auth-container input').length"))
    token = ana.person.session["access_token"]
    screen.run(
        """const field = document.querySelector('.auth-container input[type=text]');
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, arguments[0]);
        field.dispatchEvent(new Event('input', {bubbles: true}));
        document.querySelector('.auth-container .authorize').click()""",
        token,
    )
    screen.until(lambda: "Value: ******" in screen.there(".auth-container")[0].text)
    assert token not in screen.run("return JSON.stringify({...localStorage, ...sessionStorage})")


def test_two_tabs_that_refresh_at_once_ask_once_and_both_stay(screen, ana):
    renews = """const [done] = arguments;
    const parts = document.querySelector("script[type=module]").src.replace("main.js", "api.js");
    performance.clearResourceTimings();
    import(parts).then((api) => { window.renewing = api.renew(api.bearer()); done(true); })"""
    screen.enter(ana)
    driver, first = screen.driver, screen.driver.current_window_handle
    driver.switch_to.new_window("tab")
    screen.open()
    screen.find("list", "Conversations")
    second = driver.current_window_handle
    for handle in (first, second):
        driver.switch_to.window(handle)
        screen.driver.execute_async_script(renews)
    asked = 0
    for handle in (first, second):
        driver.switch_to.window(handle)
        assert screen.driver.execute_async_script("window.renewing.then(arguments[0], () => arguments[0](false))")
        asked += len(screen.requests("/session/refresh"))
        screen.find("list", "Conversations")
        driver.refresh()
        screen.find("list", "Conversations")
    assert 1 <= asked <= 2
