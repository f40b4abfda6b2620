"""What tests of the assistant share: asking it, and a customer whom it is asked about."""

MISSING = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"


CLASSIFICATION = {
    "sentiment", "sentiment_score", "urgency", "negotiation", "should_create_task", "intent", "language",
    "confidence", "provider",
}  # fmt: skip


BEHIND = {"id", "based_on_message_id", "degraded", "fallback_reason", "used", "placeholders"}


async def asked(person, what, body):
    status, answer = await person.post(f"/ai/{what}", body)
    assert status == 200, answer
    return answer


async def customer(person, text="Qual o preço?", sender="+5511900000012", **settings):
    """A conversation with somebody whose settings are these; the webhook's entry."""
    entry = await person.hears(text, sender=sender)
    if settings:
        status, answer = await person.patch(f"/contacts/{entry['contact_id']}/settings", settings)
        assert status == 200, answer
    return entry


async def takes(person, model, **more):
    account = {"kind": "openai", "base_url": model.base_url, "model": "small", "api_key": "secret"}
    status, answer = await person.put("/ai/provider", account | {"features": ["reply", "follow_up"]} | more)
    assert status == 200, answer
