"""What is kept can be taken along: an archive of the account, and one of a contact."""

import csv
import io
import json
import zipfile

from alfred.api import exports

KINDS = {"contacts", "notes", "conversations", "messages", "tasks", "notifications", "rules", "flows",
         "deliveries", "subscriptions"}  # fmt: skip


async def archive_of(person, path):
    """The files of an archive by their names, as texts."""
    status, headers, raw = await person.call("GET", path)
    assert (status, headers["Content-Type"]) == (200, "application/zip"), raw
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_an_account_takes_everything_along(ana, bruno, monkeypatch):
    monkeypatch.setattr(exports, "PAGE", 2)  # more than one page of messages
    first = await ana.hears("=2+2", "+5511900000012")
    for number in range(4):
        await ana.hears(f"oi {number}; =cmd", "+5511900000013")
    await ana.made(f"/contacts/{first['contact_id']}/notes", {"text": "Boa cliente"})
    await ana.made("/tasks", {"title": "Ligar", "contact_id": first["contact_id"]})
    await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    await bruno.hears("segredo do Bruno")
    told = await ana.made("/subscriptions", {"url": "https://receiver.invalid/x", "events": ["task.created"],
                                             "headers": {"X-Key": "hidden"}})  # fmt: skip
    files = await archive_of(ana, "/me/export")
    (kept,) = json.loads(files["subscriptions.json"])
    assert (kept["url"], kept["events"]) == ("https://receiver.invalid/x", ["task.created"])
    assert "hidden" not in files["subscriptions.json"]
    assert told["secret"] not in files["subscriptions.json"]
    assert not {"secret", "previous_secret", "headers"} & set(kept)
    assert set(files) == {f"{kind}.{suffix}" for kind in KINDS for suffix in ("json", "csv")}
    counts = {kind: len(json.loads(files[f"{kind}.json"])) for kind in KINDS}
    assert counts == dict.fromkeys(KINDS, 0) | {
        "contacts": 2, "conversations": 2, "messages": 5, "notes": 1, "tasks": 1, "rules": 1,
        "subscriptions": 1,
    }  # fmt: skip
    assert "segredo" not in "".join(files.values())
    bodies = [row["body"] for row in csv.DictReader(io.StringIO(files["messages.csv"].removeprefix("\ufeff")))]
    assert bodies == ["'=2+2", *(f"oi {number}; '=cmd" for number in range(4))]


async def test_a_contact_takes_along_what_is_kept_about_them(ana, bruno):
    entry = await ana.hears("minha mensagem", "+5511900000012")
    await ana.hears("de outra pessoa", "+5511900000013")
    files = await archive_of(ana, f"/contacts/{entry['contact_id']}/export")
    assert [row["body"] for row in json.loads(files["messages.json"])] == ["minha mensagem"]
    (contact,) = json.loads(files["contacts.json"])
    assert contact["identities"][0]["value"] == "+5511900000012"
    assert "outra pessoa" not in "".join(files.values())
    assert (await bruno.get(f"/contacts/{entry['contact_id']}/export"))[0] == 404
