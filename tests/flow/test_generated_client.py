"""A client generated from the OpenAPI document makes the README's calls: the document says what the service does."""

import asyncio
import importlib
import json
import subprocess
import sys

import pytest

from alfred.app import described

PACKAGE = "generated_alfred"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The package, generated once."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(described()))
    (folder / "config.yml").write_text(f"post_hooks: ['{sys.executable} -P -m ruff format --isolated --quiet .']\n")
    files = ["--path", "openapi.json", "--output-path", PACKAGE, "--config", "config.yml"]
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from openapi_python_client.cli import app; app()",
            "generate",
            "--meta",
            "none",
            *files,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder))


class Caller:
    """Calls operations by tag and operation id with the generated client."""

    def __init__(self, package, address, token=None):
        kind = package.AuthenticatedClient if token else package.Client
        self.client = kind(base_url=address, **({"token": token} if token else {}))

    async def __call__(self, operation, *path, **arguments):
        call = importlib.import_module(f"{PACKAGE}.api.{operation}").sync
        answer = await asyncio.to_thread(call, *path, client=self.client, **arguments)
        assert type(answer).__name__ != "ProblemDetails", answer
        return answer


def model(name, /, **values):
    return importlib.import_module(f"{PACKAGE}.models").__dict__[name].from_dict(values)


async def test_makes_the_calls_of_the_readme(generated, address):
    stranger = Caller(generated, address)
    account = {"email": "generated@example.com", "password": "a long passphrase"}
    await stranger("auth.register_user", body=model("Registration", name="Ana Prado", **account))
    session = await stranger("auth.log_in_user", body=model("Login", **account))
    ana = Caller(generated, address, session.access_token)

    mail = {
        "message_id": "<readme-1@example.com>", "from": "caio@example.com", "to": "vendas@example.com",
        "body": "My order has not arrived and I need it today, this is urgent!",
    }  # fmt: skip
    receipt = await ana("webhooks.post_webhook", "email", body=model("PostWebhookJsonBody", **mail))
    assert receipt.messages[0].classification.urgency == "high"

    urgency = importlib.import_module(f"{PACKAGE}.models").Urgency.HIGH
    page = await ana("inbox.list_conversations", urgency=urgency)
    assert [conversation.contact.handle for conversation in page.items] == ["caio@example.com"]
    await ana("notifications.list_notifications", seen=False)
    token = await ana("tokens.create_token", body=model("NewToken", name="n8n", scopes=["read", "write"]))
    assert token.token.startswith("alf_")
    task = await ana("tasks.create_task", body=model("NewTask", title="Enviar outra mesa", due_date="2030-05-08"))
    assert (task.title, task.priority) == ("Enviar outra mesa", "medium")
    rule = await ana("rules.create_rule", body=model("NewRule", text="Quando o cliente pedir desconto, me avise"))
    assert rule.explanation
