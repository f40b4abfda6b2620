"""What one tenant may have of each kind is bounded, and what is refused says so."""

import pytest

from alfred.api import webhooks
from alfred.http import quotas


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("tokens", {"name": "n8n"}),
        ("rules", {"text": "Se a mensagem contém 'desconto', me avise"}),
        ("flows", {"name": "Fluxo", "definition": {"start": "a", "nodes": []}}),
    ],
)
async def test_one_too_many_is_refused_until_there_is_room(ana, bruno, monkeypatch, kind, body):
    monkeypatch.setitem(quotas.QUOTAS, kind, 2)
    made = [await ana.made(f"/{kind}", body) for _ in range(2)]
    status, problem = await ana.post(f"/{kind}", body)
    assert (status, problem["code"]) == (409, f"too_many_{kind}")
    assert problem["detail"].startswith(f"There are 2 {kind} already")
    await bruno.made(f"/{kind}", body)  # it is her quota, nobody else's
    assert (await ana.delete(f"/{kind}/{made[0]['id']}"))[0] == 204
    await ana.made(f"/{kind}", body)


async def test_rejected_posts_are_kept_up_to_some_bytes(ana, monkeypatch):
    monkeypatch.setattr(webhooks, "MOST_REJECTED_BYTES", 1000)
    for number in range(5):
        await ana.post("/webhooks/whatsapp", {"unknown": "x" * 400, "number": number})
    _, page = await ana.get("/webhooks/rejected")
    assert [f'"number": {number}' in each["body"] for number, each in zip((4, 3), page["items"], strict=True)] == [
        True
    ] * 2
    await ana.post("/webhooks/whatsapp", {"unknown": "x" * 4000})
    _, page = await ana.get("/webhooks/rejected")
    assert len(page["items"]) == 1  # the newest is kept, however large
