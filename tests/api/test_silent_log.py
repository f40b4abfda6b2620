"""What people write is in no line of the log."""

import pytest

WORD = "xilofonemudo"
TEXT = f"Preciso do {WORD} hoje, é urgente"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/webhooks/whatsapp", {"message_id": "m", "from": "+5511900000012", "from_name": WORD, "body": TEXT}),
        ("/webhooks/whatsapp", {WORD: TEXT}),
        ("/ai/classify-message", {"text": TEXT}),
        ("/ai/suggest-reply", {"text": TEXT}),
        ("/rules/compile", {"text": TEXT}),
        ("/tasks", {"title": WORD}),
        ("/tasks", {"title": WORD, "due_date": WORD}),
        ("/contacts", {"handle": f"@{WORD}", "name": WORD}),
        ("/auth/login", {"email": f"{WORD}@example.com", "password": WORD}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_no_text_is_written_down(ana, log, path, body):
    await ana.post(path, body)
    await ana.get(f"/conversations?q={WORD}")
    assert str(log).count("request_answered") == 2
    assert WORD not in str(log)
