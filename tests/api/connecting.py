"""Bodies that connect a channel of each provider, all at a peer on loopback, with secrets that are easy to spot."""

SECRET = "s3cr3t-"

BODIES = {
    "whatsapp_cloud": {"phone_number_id": "109900000000001", "access_token": SECRET + "token",
                       "app_secrets": [SECRET + "app"]},
    "messenger": {"page_id": "1234", "access_token": SECRET + "token", "app_secrets": [SECRET + "app"]},
    "instagram": {"account_id": "17841", "access_token": SECRET + "token", "app_secrets": [SECRET + "app"]},
    "evolution": {"instance": "loja", "api_key": SECRET + "key", "jwt_key": SECRET + "jwt",
                  "header": {"name": "X-Shop", "value": SECRET + "header"}},
    "waha": {"session": "default", "api_key": SECRET + "key", "hmac_keys": [SECRET + "hmac"]},
    "zapi": {"instance_id": "3C01", "instance_token": SECRET + "instance", "client_token": SECRET + "client"},
    "twilio": {"account_sid": "AC1", "from": "+14155550100", "auth_tokens": [SECRET + "auth"]},
    "email": {"smtp": {"host": "127.0.0.1", "port": 2525, "security": "none", "from_address": "Loja@Example.com",
                       "username": "loja", "password": SECRET + "smtp"},
              "inbound": {"provider": "mailgun", "signing_keys": [SECRET + "mailgun"]}},
}  # fmt: skip
TYPES = {name: name for name in ("messenger", "instagram", "email")}


def body_of(provider, base_url="http://127.0.0.1:9", **more):
    """What PUT takes."""
    base = {} if provider == "email" else {"base_url": base_url}
    return {"provider": provider, **base, **BODIES[provider], **more}


async def connected(person, provider="whatsapp_cloud", *, base_url="http://127.0.0.1:9", body=None, **more):
    """A channel of the provider, connected: (channel id, the answer to PUT)."""
    kind = TYPES.get(provider, "whatsapp")
    channel = await person.made("/channels", {"type": kind, "name": f"Loja {provider}"})
    status, answer = await person.put(
        f"/channels/{channel['id']}/connection", body or body_of(provider, base_url, **more)
    )
    assert status == 200, answer
    return channel["id"], answer


def faults(answer):
    assert answer[0] == 422, answer
    return {fault["pointer"]: fault["code"] for fault in answer[1]["errors"]}
