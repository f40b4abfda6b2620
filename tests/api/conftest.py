"""Services of their own for what calls other hosts, those hosts, and people who use them."""

import pytest

from tests.api.media_files import LIMIT, playing
from tests.api.posts import flat, messenger
from tests.conftest import serving
from tests.people import Person


@pytest.fixture(scope="module")
async def loopback(cluster, database):
    """A service that may call loopback."""
    settings = {"private_targets": "127.0.0.0/8", "hook_body_limit": 200_000, "mail_body_limit": 6_000_000}
    async with serving(cluster.logins(database), **settings) as address:
        yield address


@pytest.fixture
async def rosa(http, loopback):
    return await Person.sign_up(http, loopback, "Rosa")


@pytest.fixture(scope="module")
async def public_service(cluster, database):
    """A service that may call loopback, and is known by another address."""
    settings = {"private_targets": "127.0.0.0/8", "public_url": "https://crm.example.org", "delivery_timeout": 2}
    async with serving(cluster.logins(database), **settings) as address:
        yield address


@pytest.fixture
async def clara(http, public_service):
    return await Person.sign_up(http, public_service, "Clara")


@pytest.fixture(scope="package")
def files_home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="package")
def files_database(cluster):
    """A database of its own: any service on a database fetches its files, and the others may not call loopback."""
    return cluster.app(cluster.copy())


@pytest.fixture(scope="module")
async def files_service(files_database, files_home):
    settings = {
        "private_targets": "127.0.0.0/8", "public_url": "https://crm.example.org", "home": files_home,
        "media_limit": LIMIT, "media_quota": 1_000_000, "mail_body_limit": 6_000_000, "delivery_backoff": "0.05",
        "delivery_timeout": 2,
    }  # fmt: skip
    async with serving(files_database, **settings) as address:
        yield address


@pytest.fixture
async def lena(http, files_service):
    return await Person.sign_up(http, files_service, "Lena")


@pytest.fixture
async def peer():
    async with playing() as peer:
        yield peer


@pytest.fixture
async def storage():
    """Another host, as far as credentials go: another port."""
    async with playing() as storage:
        yield storage


@pytest.fixture
async def busy(ana):
    """Ana, with conversations of every sort."""
    texts = ["Preciso disso hoje, é urgente", "Amei, perfeito!", "Quanto custa?", "Estou decepcionada, péssimo", "oi"]
    for number, text in enumerate(texts * 2):
        handle = f"+55119000002{number:02}"
        if number % 3 == 0:
            await ana.hears(text, handle, at=1714564800 + number)
        elif number % 3 == 1:
            await ana.post("/webhooks/messenger", messenger(text, f"70{number}", at=1714564800000 + number))
        else:
            await ana.post("/webhooks/email", flat(text, f"p{number}@example.com"))
    conversations = await ana.conversations()
    for number, conversation in enumerate(conversations):
        change = {"status": ("open", "pending", "snoozed", "closed")[number % 4]}
        await ana.patch(f"/conversations/{conversation['id']}", change | {"tags": ["vip", "novo"][: number % 3]})
        if number % 2:
            await ana.post(f"/conversations/{conversation['id']}/read")
    return ana


@pytest.fixture
async def known_ids(ana):
    """Ana, with a conversation; the ids that bodies and paths name."""
    entry = await ana.hears("oi")
    contact = await ana.made("/contacts", {"name": "Rui", "handle": "rui@example.com", "channel_type": "email"})
    channel = await ana.made("/channels", {"type": "email", "name": "Mail", "external_account_id": "shop@example.com"})
    return {"conversation": entry["conversation_id"], "contact": contact["id"], "channel": channel["id"]}
