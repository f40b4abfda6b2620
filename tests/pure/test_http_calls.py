"""Calls to other hosts as values: what they show of themselves, and how an answer is read."""

import pytest

from alfred.http_calls import Answer, form_call, json_call


def test_a_call_never_shows_a_secret():
    headers = {"Authorization": "Bearer geheim"}
    for call in (
        json_call("https://api.example/token/geheim/send", {"text": "geheim"}, headers, seconds=5),
        form_call("https://api.example/token/geheim/send", {"Body": "geheim"}, headers, seconds=5),
    ):
        assert "geheim" not in repr(call)
        assert "geheim" in call.body.decode()
    assert "geheim" not in repr(Answer(200, {"x": "geheim"}, b"geheim"))


def test_bodies_are_utf_8():
    assert json_call("https://a.example", {"text": "Olá ❤️"}, {}, seconds=5).body == '{"text":"Olá ❤️"}'.encode()
    assert form_call("https://a.example", {"Body": "a b&ç"}, {}, seconds=5).body == b"Body=a+b%26%C3%A7"


@pytest.mark.parametrize(
    ("body", "cut", "value"),
    [
        (b'{"a": 1}', False, {"a": 1}),
        (b'{"a": 1}', True, None),
        (b'{"a": ', False, None),
        (b"<html>", False, None),
        (b"", False, None),
        (b"\xff\xfe", False, None),
        (b"[" * 100_000, False, None),
    ],
)
def test_an_answer_is_read_whole_or_not_at_all(body, cut, value):
    assert Answer(200, {}, body, cut).json() == value


def test_an_object_is_no_list():
    assert Answer(200, {}, b"[1]").object() is None
    assert Answer(200, {}, b'{"a": null}').object() == {"a": None}
