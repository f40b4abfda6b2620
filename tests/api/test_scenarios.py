"""What real senders showed to be wrong, as scenarios: each file of tests/scenarios is played by a new user."""

import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from tests.conftest import SECRET
from tests.people import Person

FOLDER = Path(__file__).parents[1] / "scenarios"
STEPS = {
    path.stem: json.loads(found[1])
    for path in sorted(FOLDER.glob("*.md"))
    if (found := re.search(r"```json\n(.*?)```", path.read_text(), re.DOTALL))
}


def filled(value, kept):
    """The value with each `$name` replaced by what was kept under it."""
    if isinstance(value, str):
        return re.sub(r"\$(\w+)", lambda name: str(kept[name[1]]), value)
    if isinstance(value, dict):
        return {key: filled(each, kept) for key, each in value.items()}
    return [filled(each, kept) for each in value] if isinstance(value, list) else value


def at(answer, path):
    """What stands at a dotted path; `#` is a list's length."""
    for step in path.split("."):
        answer = len(answer) if step == "#" else answer[int(step)] if isinstance(answer, list) else answer[step]
    return answer


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
async def test_comes_out_as_told(ana, stranger, steps):
    kept = {"fresh": secrets.token_hex(6)}
    for step in steps:
        person = stranger if step.get("anonymous") else ana
        method, _, path = step["call"].partition(" ")
        options = {"headers": {"Content-Type": step["kind"]}, "data": step["text"].encode()} if "text" in step else {}
        body = filled(step["body"], kept) if "body" in step else None
        status, _, raw = await person.call(method, filled(path, kept), body, **options, **step.get("query", {}))
        answer = json.loads(raw)
        assert status == step["status"], (step["call"], answer)
        for place, wanted in step.get("expect", {}).items():
            assert at(answer, place) == filled(wanted, kept), (step["call"], place, answer)
        assert all(text not in raw.decode() for text in step.get("lacks", []))
        kept |= {name: at(answer, place) for name, place in step.get("keep", {}).items()}


@pytest.mark.parametrize(("ahead", "status"), [(2, 200), (25, 200), (45, 401), (3600, 401)])
async def test_a_token_of_a_clock_ahead(ana, http, address, ahead, status):
    claims = jwt.decode(ana.session["access_token"], options={"verify_signature": False})
    claims["iat"] = int((datetime.now(UTC) + timedelta(seconds=ahead)).timestamp())
    claims["exp"] = claims["iat"] + 900
    session = {"access_token": jwt.encode(claims, SECRET, algorithm="HS256")}
    assert (await Person(http, address, session).get("/me"))[0] == status
