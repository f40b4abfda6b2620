"""The parts that know no screen, in the browser that they are for."""

import pytest

ZONE = "America/Sao_Paulo"


@pytest.fixture
def part(screen):
    """Runs an async body with a module of the inbox at hand as `it`."""

    def run(module, body):
        script = f"""const done = arguments[arguments.length - 1];
        import("/web/{module}").then(async (it) => {{ {body} }})
          .then(done, (error) => done("failed: " + error.stack))"""
        return screen.driver.execute_async_script(script)

    screen.open("/web/icon.svg")
    screen.open()
    screen.find("button", "Log in")
    return run


LOCALES = {
    ("pt-BR", "BRL"): ["21:30", "R$ 1.234,50"],
    ("en-US", "USD"): ["09:30 PM", "$1,234.50"],
    ("en-GB", "GBP"): ["21:30", "£1,234.50"],
    ("es-ES", "EUR"): ["21:30", "1234,50 €"],
    ("es-MX", "MXN"): ["09:30 p.m.", "$1,234.50"],
    ("de-DE", "EUR"): ["21:30", "1.234,50 €"],
}


def test_six_locales_write_time_and_money_in_their_own_way(part):
    found = {}
    for locale, currency in LOCALES:
        told = part(
            "formats.js",
            f"""it.formatFor({{timezone: "{ZONE}", locale: "{locale}", currency: "{currency}"}});
            return [it.time("2026-05-02T00:30:00Z"), it.money("1234.5")]""",
        )
        found[locale, currency] = [text.replace("\u00a0", " ").replace("\u202f", " ") for text in told]
    assert found == LOCALES


def test_days_are_those_of_the_user_and_a_wall_clock_is_an_instant(part):
    told = part(
        "formats.js",
        f"""it.formatFor({{timezone: "{ZONE}", locale: "en", currency: "BRL"}});
        const now = new Date();
        await (await import("/web/words.js")).speak("en");
        return [it.dayOf(new Date("2026-05-02T00:30:00Z")), it.day(now), it.day(new Date(now - 864e5)),
          it.instant("2026-05-02T09:00"), it.wallOf(new Date("2026-05-02T12:00:00Z"))]""",
    )
    assert told == ["2026-05-01", "Today", "Yesterday", "2026-05-02T12:00:00.000Z", "2026-05-02T09:00"]


def test_what_went_wrong_can_be_quoted(part, screen):
    screen.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    told = part(
        "store.js",
        """await (await import("/web/words.js")).speak("en");
        const place = it.mishap({message: "It broke.", requestId: "0190-7", status: 500}, null);
        document.querySelector("main, body").append(place);
        const copy = place.querySelector("button");
        copy.click();
        await new Promise((go) => setTimeout(go, 300));
        return [place.querySelector("p").textContent, place.querySelector("code").textContent,
          copy.getAttribute("aria-label"), copy.textContent];""",
    )
    assert told == ["It broke.", "0190-7", "Copy: Request id", "Copied"]


def test_keyed_touches_only_what_changed(part):
    told = part(
        "dom.js",
        """const place = document.createElement("div"); const known = new Map();
        const build = (text) => () => it.h("i", {}, text);
        const show = (...keys) => it.keyed(place, known, keys.map(
          (key) => [key, key === "b" ? version : 1, build(key)]));
        let version = 1;
        show("a", "b", "c");
        const [a, b, c] = place.children;
        version = 2; show("c", "a", "b", "d");
        return [place.textContent, place.children[1] === a, place.children[0] === c, place.children[2] === b]""",
    )
    assert told == ["cabd", True, True, False]


def test_a_burst_runs_rarely_never_twice_at_once_and_always_after_the_last_wish(part):
    told = part(
        "topics.js",
        """let runs = 0, inside = 0, most = 0, seen = 0, wishes = 0;
        const wish = it.burst(async () => {
          runs += 1; inside += 1; most = Math.max(most, inside); const at = wishes;
          await new Promise((go) => setTimeout(go, 20)); inside -= 1; seen = at;
        }, 50, 200);
        for (let round = 0; round < 200; round++) {
          wishes += 1; wish(); await new Promise((go) => setTimeout(go, 2));
        }
        await new Promise((go) => setTimeout(go, 600));
        return [runs <= 8, most, seen]""",
    )
    assert told == [True, 1, 200]


def test_a_wish_is_kept_when_a_run_that_began_after_it_has_ended(part):
    told = part(
        "topics.js",
        """let begun = 0, ended = 0;
        const wish = it.burst(async () => {
          begun += 1; await new Promise((go) => setTimeout(go, 30)); ended += 1;
        }, 10, 20);
        const kept = [];
        wish().then(() => kept.push([begun, ended])); wish().then(() => kept.push([begun, ended]));
        await new Promise((go) => setTimeout(go, 300));
        return kept""",
    )
    assert told == [[1, 1], [2, 2]]


def test_live_is_said_when_what_was_missed_is_read(part):
    told = part(
        "live.js",
        """const { again, states } = await import("/web/topics.js");
        let read, write; const said = [], beside = window.fetch;
        const soon = (ready) => new Promise((go) => {
          const look = () => (ready() ? go() : setTimeout(look, 10)); look();
        });
        states.on((state) => said.push(state));
        again.on(() => new Promise((go) => (read = go)));
        const body = new ReadableStream({start: (control) => {
          write = (text) => control.enqueue(new TextEncoder().encode(text));
        }});
        window.fetch = async () => new Response(body);
        it.start();
        await soon(() => read);
        write("retry: 2000\\n: welcome\\n\\n"); write(": still here\\n\\n");
        await new Promise((go) => setTimeout(go, 200));
        const before = [...said];
        read();
        await soon(() => said.length);
        const after = [...said];
        it.stop(); window.fetch = beside;
        return [before, after]""",
    )
    assert told == [[], ["live"]]


def test_the_pauses_between_attempts_are_half_a_second_to_thirty(part):
    told = part(
        "live.js",
        "return [0, 1, 5, 9, 2000].map((failures) => [it.pauseAfter(failures, 0), it.pauseAfter(failures, 1)])",
    )
    assert told == [[500, 1000], [500, 1500], [500, 16500], [500, 30000], [500, 30000]]


def test_numbers_that_are_counted_to_a_thousand_end_there(part):
    assert part("store.js", "return [0, 6, 999, 1000, 1001].map(it.capped)") == [0, 6, 999, "999+", "999+"]


def test_a_name_turns_nothing_around_it(part):
    told = part(
        "words.js",
        """await it.speak("en"); await it.learn();
        return ["Marina", "\\u202egnp.exe", "\\u2069\\u202eabc", "מרינה"].map((name) => it.t("new.from", name))""",
    )
    assert told == [
        "New message from Marina",
        "New message from \u2068gnp.exe\u2069",
        "New message from \u2068abc\u2069",
        "New message from \u2068מרינה\u2069",
    ]


def test_a_flow_is_laid_out_in_layers_even_where_it_is_damaged(part):
    told = part(
        "screens/tree.js",
        """const nodes = [
          {id: "a", type: "condition", yes: "b", no: "c"}, {id: "b", type: "action", next: "d"},
          {id: "c", type: "action", next: "d"}, {id: "d", type: "action", next: "a"}, {id: "lost", type: "action"}];
        const {places} = it.layout({start: "a", nodes});
        const row = (id) => Math.round(places.get(id).y / 98);
        return [row("a"), row("b"), row("c"), row("d"), row("lost"), places.get("b").x !== places.get("c").x,
          it.layout({start: "none", nodes: []}).order.length]""",
    )
    assert told == [0, 1, 1, 2, 3, True, 0]
