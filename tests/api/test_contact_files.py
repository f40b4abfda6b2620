"""Contacts out to a CSV file, and in from one."""

import asyncio
import csv
import io

import aiohttp
import pytest

from tests.api.csv_files import CSV, contacts, counts, exported, imported


async def test_creates_updates_refuses_row_by_row(ana):
    known = await ana.made("/contacts", {"name": "Bia", "handle": "bia@example.com"})
    text = (
        "name,handle,base_price,currency,vip,preferred_tone,identities\r\n"
        "Ana,+5511900000001,120.5,brl,true,friendly,email:ana@example.com\r\n"
        "Bia Souza,bia@example.com,,,,,\r\n"
        "Carla,,,,,,\r\n"
        "Duda,duda@example.com,cheap,,maybe,,\r\n"
        '"Eva,\nthe second",instagram-eva,,,,,instagram:eva\r\n'
        "Fê,,,,,,instagram:fe\r\n"
    )
    report = await imported(ana, text)
    assert counts(report) == {"created": 2, "updated": 1, "refused": 3}
    assert [
        (row["line"], row["outcome"], [(e["column"], e["code"]) for e in row["errors"]]) for row in report["rows"]
    ] == [
        (2, "created", []),
        (3, "updated", []),
        (4, "refused", [("handle", "missing")]),
        (5, "refused", [("base_price", "decimal_parsing"), ("vip", "bool_parsing")]),
        (6, "refused", [("channel_type", "missing")]),
        (8, "created", []),
    ]
    assert report["rows"][1]["contact_id"] == known["id"]
    assert report["rows"][2]["contact_id"] is None
    assert all(error["message"] for row in report["rows"] for error in row["errors"])

    status, made = await ana.get(f"/contacts/{report['rows'][0]['contact_id']}")
    assert status == 200
    assert made | {"created_at": 0, "updated_at": 0} == {
        "id": made["id"],
        "name": "Ana",
        "handle": "+5511900000001",
        "channel_type": "whatsapp",
        "email": None,
        "phone": None,
        "notes": None,
        "identities": [
            {"channel_type": "whatsapp", "value": "+5511900000001"},
            {"channel_type": "email", "value": "ana@example.com"},
        ],
        "opted_out_at": None,
        "first_referral": None,
        "last_referral": None,
        "settings": {
            "negotiation_enabled": True,
            "negotiation_mode": "suggest",
            "base_price": "120.50",
            "custom_price": None,
            "currency": "BRL",
            "vip": True,
            "preferred_tone": "friendly",
        },
        "created_at": 0,
        "updated_at": 0,
    }
    assert len(await ana.events("contact.created")) == 3


async def test_a_second_time_changes_nothing(ana):
    text = (
        "name;handle;notes\r\nAna;ana@example.com;a\r\nBia;bia@example.com;b\r\nAna Maria;ana@example.com;c\r\n;;x\r\n"
    )
    assert counts(await imported(ana, text)) == {"created": 2, "updated": 1, "refused": 1}
    before = await contacts(ana)
    assert counts(await imported(ana, text)) == {"unchanged": 3, "refused": 1}
    assert await contacts(ana) == before
    assert len(await ana.events("contact.created")) == 2


async def test_a_file_finds_whom_the_webhook_has_met(ana):
    heard = await ana.hears("Oi", "+5511900000012", name="Marina")
    report = await imported(ana, "handle,name,identities\n55 11 90000-0012,Marina Q,email:MARINA@example.com\n")
    assert (report["rows"][0]["outcome"], report["rows"][0]["contact_id"]) == ("updated", heard["contact_id"])
    (known,) = await contacts(ana)
    assert (known["name"], known["handle"]) == ("Marina Q", "+5511900000012")
    assert {"channel_type": "email", "value": "marina@example.com"} in known["identities"]


async def test_a_row_about_two_people_changes_neither(ana):
    await ana.made("/contacts", {"name": "Ana", "handle": "ana@example.com"})
    await ana.made("/contacts", {"name": "Bia", "handle": "+5511900000001"})
    before = await contacts(ana)
    text = "name,handle,identities\nNobody,ana@example.com,whatsapp:+5511900000001\nCarla,carla@example.com,\n"
    report = await imported(ana, text)
    assert counts(report) == {"created": 1, "refused": 1}
    assert [error["code"] for error in report["rows"][0]["errors"]] == ["two_contacts"]
    assert (await contacts(ana))[1:] == before


async def test_another_tenants_contacts_are_not_found(ana, bruno):
    text = "name,handle\nAna,ana@example.com\n"
    hers = await imported(ana, text)
    his = await imported(bruno, text)
    assert counts(his) == {"created": 1}
    assert hers["rows"][0]["contact_id"] != his["rows"][0]["contact_id"]
    assert b"ana@example.com" in (await exported(bruno))[1]
    assert len((await exported(bruno))[1].splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("name;handle\r\nZé;ze@example.com\r\n", CSV),
        ("\ufeffname,handle\nZé,ze@example.com", {"Content-Type": "text/csv; charset=UTF-8"}),
        ('"handle","name"\r\n"ze@example.com","Zé"\r\n', {"Content-Type": "application/octet-stream"}),
        ("name,handle\nZé,ze@example.com\n", {"Content-Type": "application/vnd.ms-excel"}),
    ],
)
async def test_takes_every_usual_form(ana, text, headers):
    assert counts(await imported(ana, text, headers)) == {"created": 1}
    assert [(each["name"], each["handle"]) for each in await contacts(ana)] == [("Zé", "ze@example.com")]


@pytest.mark.parametrize(("codec", "encoding"), [("cp1252", "windows-1252"), ("utf-16", "utf-16")])
async def test_says_which_encoding_it_read(ana, codec, encoding):
    report = await imported(ana, "name\thandle\nZé\tze@example.com\n".encode(codec))
    assert (report["encoding"], counts(report)) == (encoding, {"created": 1})
    assert [each["name"] for each in await contacts(ana)] == ["Zé"]


async def test_takes_a_file_from_a_form(ana):
    form = aiohttp.FormData()
    form.add_field("kind", "contacts")
    form.add_field("file", "name,handle\r\nZé,ze@example.com\r\n".encode(), filename="c.csv", content_type="text/csv")
    status, report = await ana.post("/contacts/import", data=form)
    assert (status, counts(report)) == (200, {"created": 1})
    form = aiohttp.FormData({"kind": "contacts"}, default_to_multipart=True)
    status, problem = await ana.post("/contacts/import", data=form)
    assert (status, problem["code"]) == (400, "invalid_form")


@pytest.mark.parametrize(
    ("text", "headers", "status", "code", "words"),
    [
        (b"PK\x03\x04 a workbook", CSV, 400, "invalid_encoding", "workbook"),
        (b"name\n", {"Content-Type": "text/csv; charset=x-nothing"}, 400, "invalid_encoding", "x-nothing"),
        (b'name\n"Ana\n', CSV, 400, "invalid_csv", "line 2"),
        (b"", CSV, 422, "empty_file", "empty"),
        (b"name,adress\n", CSV, 422, "invalid", "adress"),
        (b"handle\n" + b"x@y.z\n" * 10_001, CSV, 422, "too_many_rows", "10000"),
        (b"handle\n" + b"x" * 1_100_000, CSV, 413, "too_large", "larger"),
        (b"{}", {"Content-Type": "application/json"}, 415, "unsupported_media_type", "text/csv"),
    ],
)
async def test_says_why_it_takes_no_row(ana, text, headers, status, code, words):
    problem = await imported(ana, text, headers, status)
    assert problem["code"] == code
    assert words in problem["detail"]
    assert await contacts(ana) == []


async def test_names_the_unknown_column(ana):
    problem = await imported(ana, "name,adress\nAna,x\n", expected=422)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/adress", "unknown_column")]


async def test_bad_cells_are_named(ana):
    text = (
        "handle,name,notes,channel_type,currency,negotiation_mode\n"
        f"a@b.c,{'x' * 201},,,,\n"
        f"b@b.c,,{'x' * 10_001},,,\n"
        f"{'x' * 250}@b.cdefg,,,,,\n"
        "c@b.c,,a\x00b,,,\n"
        "d\x00@b.c,,,,,\n"
        "5.51199E+12,,,whatsapp,,\n"
        "e@b.c,,,,real,perhaps\n"
        "f@b.c,,,,,,more\n"
        "g@b.c,,,telegram,,\n"
    )
    report = await imported(ana, text)
    assert counts(report) == {"refused": 9}
    assert [[(error["column"], error["code"]) for error in row["errors"]] for row in report["rows"]] == [
        [("name", "string_too_long")],
        [("notes", "string_too_long")],
        [("handle", "string_too_long")],
        [("notes", "invalid_characters")],
        [("handle", "invalid_characters")],
        [("handle", "shortened_number")],
        [("negotiation_mode", "literal_error"), ("currency", "string_pattern_mismatch")],
        [("", "too_many_cells")],
        [("channel_type", "unknown_channel_type")],
    ]


async def test_no_parameters(ana):
    assert (await ana.get("/contacts/export", q="x"))[1]["code"] == "unknown_parameter"
    assert (await ana.post("/contacts/import", data=b"handle\n", headers=CSV, dry="1"))[1][
        "code"
    ] == "unknown_parameter"


async def test_strangers_see_nothing(stranger):
    assert (await stranger.get("/contacts/export"))[0] == 401
    assert (await stranger.post("/contacts/import", data=b"handle\n", headers=CSV))[0] == 401


async def test_messages_that_come_during_an_import_meet_the_same_people(ana):
    numbers = [f"+55119000{n:05}" for n in range(2000)]
    text = "handle,name\n" + "".join(f"{number},Imported\n" for number in numbers)

    async def flood():
        return [(await ana.hears("Oi", number))["contact_id"] for number in numbers[-1:1900:-7]]

    reports = await asyncio.gather(imported(ana, text), imported(ana, text), flood(), flood())
    assert [report["refused"] for report in reports[:2]] == [0, 0]
    _, raw = await exported(ana)
    handles = [row["handle"] for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))]
    assert sorted(handles) == [f"'{number}" for number in numbers]
    assert counts(await imported(ana, text)) == {"unchanged": 2000}


async def test_both_stand_in_the_document_with_their_media_types(stranger):
    _, document = await stranger.get("/openapi.json")
    export = document["paths"]["/api/v1/contacts/export"]["get"]
    taken = document["paths"]["/api/v1/contacts/import"]["post"]
    assert export["responses"]["200"]["content"]["text/csv"]["example"].startswith("name,handle,")
    assert set(taken["requestBody"]["content"]) == {"text/csv", "application/octet-stream", "multipart/form-data"}
    assert taken["responses"]["200"]["content"]["application/json"]["example"]["rows"]
    assert {"400", "413", "415", "422"} <= set(taken["responses"])
    for name in ("merge", "unmerge"):
        assert document["paths"][f"/api/v1/contacts/{{contact_id}}/{name}"]["post"]["responses"]["200"]


async def test_a_file_of_several_portions_is_stored_whole(ana, monkeypatch):
    monkeypatch.setattr("alfred.crm.contacts.PORTION", 2)
    rows = [f"Pessoa {n},p{n}@example.com" for n in range(5)]
    assert counts(await imported(ana, "name,handle\n" + "\n".join(rows))) == {"created": 5}
    changed = [row.replace("Pessoa", "Cliente") + f",instagram:p{n}" for n, row in enumerate(rows)]
    assert counts(await imported(ana, "name,handle,identities\n" + "\n".join(changed))) == {"updated": 5}
    found = {each["name"]: {pair["value"] for pair in each["identities"]} for each in await contacts(ana)}
    assert found == {f"Cliente {n}": {f"p{n}@example.com", f"p{n}"} for n in range(5)}
    told = await ana.events("contact.created")
    assert {each["contact_id"] for each in told} == {each["id"] for each in await contacts(ana)}
