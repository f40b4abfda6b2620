"""Contacts as a file: what Excel opens, what no cell can run, and what comes back."""

import csv
import io

from tests.api.csv_files import BOM, COLUMNS, counts, exported, imported


async def test_exports_what_excel_opens(ana):
    await ana.made("/contacts", {"name": "José, o \"Zé\"", "handle": "+5511900000001", "notes": "um\r\ndois;três",
                                 "settings": {"base_price": "99.9", "vip": True}})  # fmt: skip
    headers, raw = await exported(ana)
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    assert headers["X-Request-ID"]
    assert raw.startswith(BOM)
    table = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert table == [
        COLUMNS,
        ['José, o "Zé"', "'+5511900000001", "whatsapp", "", "", "um\r\ndois;três", "whatsapp:+5511900000001",
         "true", "suggest", "99.90", "", "", "true", "neutral"],
    ]  # fmt: skip


async def test_no_cell_is_run_and_all_come_back(ana):
    nasty = [
        '=HYPERLINK("http://x")',
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "'=1",
        "'",
        "''+",
        "\tx=",
        "a\nb",
        "a;b",
        '"',
        "＝1+1",
    ]
    for n, text in enumerate(nasty):
        await ana.made("/contacts", {"name": f"x{text}", "notes": text, "email": text.strip(), "handle": f"p{n}",
                                     "channel_type": "instagram"})  # fmt: skip
    await ana.made("/contacts", {"identities": [{"channel_type": "messenger", "value": "a b|c%20=,email:x"},
                                                {"channel_type": "whatsapp", "value": "84251122@lid"}]})  # fmt: skip
    _, raw = await exported(ana)
    for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")):
        assert not any(cell.startswith(tuple("=+-@\t\r\n＝")) for cell in row)
    assert counts(await imported(ana, raw)) == {"unchanged": len(nasty) + 1}


async def test_what_was_exported_can_found_another_account(ana, bruno):
    await ana.hears("Oi", "+5511987654321", name="Marina")
    await ana.hears("Oi", "+551187654321")
    text = "name,handle,email,vip,custom_price,currency,preferred_tone\n"
    await imported(ana, text + "".join(f'P{n},{n}@example.com,x{n},sim,"1,5",usd,casual\n' for n in range(1, 520)))
    _, raw = await exported(ana)
    assert counts(await imported(ana, raw)) == {"unchanged": 520}
    assert counts(await imported(bruno, raw)) == {"created": 520}
    theirs = sorted((await exported(bruno))[1].splitlines())
    assert theirs == sorted(raw.splitlines())


async def test_exports_what_only_messengers_store(ana):
    """Names and handles that the API would refuse come back unchanged all the same."""
    await ana.hears("Oi", "+5511900000012", name="N" * 300)
    letter = {"from": f"{'x' * 300}@example.com", "to": "shop@example.com", "body": "Oi", "message_id": "1"}
    status, _ = await ana.post("/webhooks/email", letter)
    assert status == 200
    _, raw = await exported(ana)
    assert counts(await imported(ana, raw)) == {"unchanged": 2}


async def test_an_empty_list_and_an_empty_file(ana):
    _, raw = await exported(ana)
    assert raw.decode("utf-8-sig") == ",".join(COLUMNS) + "\r\n"
    assert await imported(ana, raw) == {
        **dict.fromkeys(("created", "updated", "unchanged", "refused"), 0),
        "encoding": "utf-8",
        "rows": [],
    }
