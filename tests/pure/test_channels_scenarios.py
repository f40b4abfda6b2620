"""The scenarios of people known by several ids, as far as reading alone decides them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from alfred.api.contact_files.cells import COLUMNS
from alfred.api.contact_files.csv_table import read_table
from alfred.api.contact_files.rows import Import
from alfred.channels import normalise
from alfred.channels.phones import variants

CASES = Path(__file__).parents[1] / "cases"
STEPS = re.compile(r"```json\n(.*?)\n```", re.DOTALL)


def steps(name: str) -> list[dict[str, Any]]:
    block = STEPS.search((CASES / f"{name}.md").read_text())
    assert block
    return json.loads(block.group(1))


def people(posts: list[Any]) -> list[set[str]]:
    """Whom the posts are about: ids that were told together are one person's."""
    known: list[set[str]] = []
    for post in posts:
        for item in normalise(post, "whatsapp").items:
            ids = {*variants(item.sender.handle or ""), *(other.value for other in item.identities)}
            same = [person for person in known if person & ids]
            known = [person for person in known if person not in same] + [ids.union(*same)]
    return known


@pytest.mark.parametrize(
    "name", ["identity_lid_after_number", "identity_user_id_after_number", "identity_zapi_chat_lid"]
)
def test_ids_told_together_are_one_person(name):
    posts = [step["body"] for step in steps(name) if step["call"].startswith("POST /webhooks/")]
    assert len(posts) > 1
    assert len(people(posts)) == 1
    assert len(people(posts[:1])) == 1


def test_a_number_that_was_a_float_is_no_other_number():
    first, second = steps("import_number_with_point_zero")
    taking = Import([])
    taking.take_all(read_table(first["text"].encode(), COLUMNS, 10).lines)
    values = [pair.value for person in taking.people.values() for pair in person.identities]
    assert values == ["+5511987654321"]
    assert not set(values) & set(second["lacks"])
