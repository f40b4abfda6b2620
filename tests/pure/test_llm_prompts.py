"""What a model is asked with, and how its answer is read: bounds on both sides, and what is no personal data."""

import json

import pytest

from alfred.ai.llm import openai_chat, prompts
from alfred.ai.llm.exchange import Account, Failed
from alfred.ai.llm.masking import findings
from alfred.ai.llm.reading import LONGEST_READ, Wording, read_as

ANSWER = json.dumps({"text": "Oi!", "language": "pt", "used": []})
STYLE = prompts.Style("reply", "pt", "neutral")


def messages_of(prompt):
    return json.loads(prompt.user)["customer_messages"]


def test_the_last_twelve_messages_are_told():
    prompt = prompts.wording([f"m{number}" for number in range(20)], draft="", style=STYLE, facts={})
    assert messages_of(prompt) == [f"m{number}" for number in range(8, 20)]


def test_no_more_than_four_thousand_characters_are_told_of_them():
    texts = [letter * 1500 for letter in "abcd"]
    told = messages_of(prompts.wording(texts, draft="", style=STYLE, facts={}))
    assert [(text[0], len(text)) for text in told] == [("b", 1000), ("c", 1500), ("d", 1500)]


def test_a_message_leaves_room_to_those_before_it():
    data = json.loads(prompts.refining("x" * 3_900, ["y" * 200]).user)
    assert (len(data["message"]), data["earlier_messages"]) == (3_900, ["y" * 100])
    assert json.loads(prompts.refining("x" * 5_000, ["y"]).user)["earlier_messages"] == []


def test_an_answer_is_found_behind_other_braces():
    assert read_as(Wording, "I keep {this} and {that}: " + ANSWER).text == "Oi!"


def test_an_answer_is_not_looked_for_without_end():
    assert read_as(Wording, " " * (LONGEST_READ - len(ANSWER)) + ANSWER).text == "Oi!"
    with pytest.raises(Failed):
        read_as(Wording, " " * LONGEST_READ + ANSWER)
    with pytest.raises(Failed):
        read_as(Wording, "{" * 20 + ANSWER)


@pytest.mark.parametrize(
    ("base_url", "name"),
    [("https://api.openai.com/v1", "max_completion_tokens"), ("http://127.0.0.1:11434/v1", "max_tokens")],
)
def test_each_server_is_told_the_bound_by_the_name_that_it_knows(base_url, name):
    prompt = prompts.wording([], draft="", style=STYLE, facts={})
    call = openai_chat.call(Account("openai", base_url, "small"), prompt, "schema", 5.0)
    bounds = {key: value for key, value in json.loads(call.body).items() if key.startswith("max_")}
    assert bounds == {name: prompt.most_tokens}


@pytest.mark.parametrize(
    ("text", "kind", "is_one"),
    [
        ("cartão 4111 1111 1111 1111", "card", True),
        ("pedido 4111 1111 1111 1112", "card", False),
        ("52998224725", "cpf", True),
        ("52998224724", "cpf", False),
        ("11111111111", "cpf", False),
    ],
)
def test_numbers_are_known_by_their_check_digits(text, kind, is_one):
    assert (kind in {found.kind for found in findings(text)}) == is_one
