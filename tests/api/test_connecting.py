"""`alfred connect` on a terminal: asks, connects, tests, and says what to paste where."""

import asyncio

import pytest

from alfred.connecting import GivenUp, Terminal, connect
from tests.api.connecting import SECRET
from tests.conftest import serving
from tests.people import Person


@pytest.fixture(scope="module")
async def house(cluster, database):
    async with serving(cluster.logins(database), private_targets="127.0.0.0/8", delivery_timeout=20) as address:
        yield address


class Script:
    """A person at a terminal, who has the answers ready."""

    def __init__(self, *answers):
        self.answers, self.said, self.hidden = list(answers), [], []

    def ask(self, question):
        self.said.append(question)
        return self.answers.pop(0)

    def ask_secret(self, question):
        self.hidden.append(question)
        return self.ask(question)

    async def walks(self, address):
        terminal = Terminal(self.ask, self.ask_secret, self.said.append)
        await asyncio.to_thread(connect, terminal, address)
        return "\n".join(self.said)


async def test_walks_to_a_connected_channel(http, house):
    rosa = await Person.sign_up(http, house, "Rosa")
    script = Script(
        "", rosa.email, "wrong", rosa.email, "a good password", "evolution", "Loja Centro",
        "http://127.0.0.1:9", "loja", SECRET + "key", "X-Shop", SECRET + "header", "",
    )  # fmt: skip
    said = await script.walks(house)
    (channel,) = (await rosa.get("/channels"))[1]["items"]
    assert (channel["name"], channel["connection"]["provider"]) == ("Loja Centro", "evolution")
    assert "The provider says no" in said
    url = (await rosa.get(f"/channels/{channel['id']}/connection"))[1]["hook"]["url"]
    assert url in said
    assert "ALFRED_PUBLIC_URL" in said
    assert SECRET not in said
    assert [each.partition(" ")[0].rstrip(":") for each in script.hidden] == [
        "Password", "Password", "api_key", "header.value", "jwt_key",
    ]  # fmt: skip


async def test_asks_again_for_what_was_wrong(http, house):
    rosa = await Person.sign_up(http, house, "Rosa")
    token = rosa.session["access_token"]
    await rosa.made("/channels", {"type": "whatsapp", "name": "Loja"})
    script = Script(
        "", "", token, "1", "1", "109900000000001", "", "", "http://10.0.0.1", "token", "app1, app2",
        "http://127.0.0.1:9",
    )  # fmt: skip
    said = await script.walks(house)
    (channel,) = (await rosa.get("/channels"))[1]["items"]
    assert channel["connection"]["can_receive"]
    assert "base_url: This address is private" in said
    assert "verify token" in said


async def test_shows_every_channel(http, house, monkeypatch):
    monkeypatch.setattr("alfred.connecting.PAGE", 2)
    rosa = await Person.sign_up(http, house, "Rosa")
    for number in range(5):
        await rosa.made("/channels", {"type": "whatsapp", "name": f"Loja {number}"})
    script = Script(
        "", "", rosa.session["access_token"], "evolution", "5", "http://127.0.0.1:9", "loja", SECRET + "key", "", "",
    )  # fmt: skip
    said = await script.walks(house)
    assert [said.count(f"Loja {number} (") for number in range(5)] == [1] * 5
    (connected,) = [each for each in (await rosa.get("/channels"))[1]["items"] if each["connection"]]
    assert connected["name"] == "Loja 0"


async def test_mail_is_asked_in_two_parts(http, house):
    rosa = await Person.sign_up(http, house, "Rosa")
    script = Script(
        "", "", rosa.session["access_token"], "email", "Vendas", "127.0.0.1", "2525", "none", "loja", "pass",
        "loja@example.com", "", "", "", "mailgun", "key",
    )  # fmt: skip
    await script.walks(house)
    (channel,) = (await rosa.get("/channels"))[1]["items"]
    config = (await rosa.get(f"/channels/{channel['id']}/connection"))[1]["config"]
    assert (config["smtp"]["from_address"], config["inbound"]["provider"]) == ("loja@example.com", "mailgun")


@pytest.mark.parametrize(
    ("service", "answers", "secrets"),
    [
        ("resend", ("", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "re_key"), {"signing_secrets", "api_key"}),
        ("brevo", ("", "", "a bearer", "xkeysib"), {"bearer", "api_key"}),
        ("brevo", ("", "posts", "a password", "", "xkeysib"), {"basic", "api_key"}),
        ("sendgrid", ("", "posts", "a password"), {"basic"}),
        ("ses", ("arn:aws:sns:eu-west-1:123456789012:mail, arn:aws:sns:eu-west-1:123456789012:more",), set()),
        ("mail", ("", "a bearer", ""), {"bearer"}),
    ],
)
async def test_a_mail_service_is_asked_for_all_that_it_takes(http, house, service, answers, secrets):
    rosa = await Person.sign_up(http, house, "Rosa")
    smtp = ("127.0.0.1", "2525", "none", "", "", "loja@example.com", "", "", "")
    script = Script("", "", rosa.session["access_token"], "email", "Vendas", *smtp, service, *answers)
    said = await script.walks(house)
    (channel,) = (await rosa.get("/channels"))[1]["items"]
    kept = (await rosa.get(f"/channels/{channel['id']}/connection"))[1]["secrets"]
    assert {name for name, state in kept.items() if state["set"]} == {f"inbound.{name}" for name in secrets}
    assert script.answers == []
    assert not [answer for answer in answers if "key" in answer and answer in said]
    assert not {"public_key", "topic_arns"} & {each.partition(":")[0] for each in script.hidden}


async def test_says_why_it_cannot_go_on(house):
    with pytest.raises(GivenUp, match="bin/serve"):
        await Script("http://127.0.0.1:9", "a@example.com", "x").walks(house)
    with pytest.raises(GivenUp, match="token"):
        await Script("", "", "no token").walks(house)
