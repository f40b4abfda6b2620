"""What the assistant proposes, and what it tells of how it came to it."""

import pytest

from tests.browser.conftest import House
from tests.browser.screen import Screen


@pytest.fixture
def modelless(cluster, driver):
    """A service that may call loopback, where no model answers."""
    house = House(cluster.app(cluster.copy()), private_targets="127.0.0.0/8", ai_timeout=1)
    yield house
    house.close()


def test_a_suggestion_tells_its_facts_and_its_gaps(screen, ana):
    ana.made("/facts", {"kind": "text", "name": "Entrega", "text": "Entregamos em 5 dias.", "tags": ["delivery"]})
    ana.hears("Qual o prazo de entrega? E qual o endereço da loja?")
    screen.enter(ana)
    screen.opens("Marina")
    screen.press("button", "Suggest reply")
    told = screen.until(lambda: screen.there(".suggestion"))[0]
    screen.until(lambda: "Why: " in told.text)
    _, suggestion = ana.post("/ai/suggest-reply", {"conversation_id": ana.conversations()[0]["id"]})
    for gap in suggestion["placeholders"]:
        assert f"{{{{{gap}}}}}" in told.text
    assert len(suggestion["used"]) == 1
    told.find_element("css selector", "summary").click()
    screen.until(lambda: "Entregamos em 5 dias." in told.text)


def test_a_model_that_does_not_answer_is_told(driver, modelless):
    ana = modelless.signs_up()
    account = {"kind": "openai", "base_url": "http://127.0.0.1:9", "model": "small", "api_key": "a key"}
    status, answer = ana.put("/ai/provider", account | {"features": ["reply"]})
    assert status == 200, answer
    ana.hears("Qual o prazo de entrega?")
    screen = Screen(driver, modelless.address)
    screen.begin()
    screen.enter(ana)
    screen.opens("Marina")
    screen.press("button", "Suggest reply")
    screen.until(lambda: "The language model did not answer" in screen.text(), 10)
    screen.end()
