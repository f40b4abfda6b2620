"""Fills in the demo account through the real ingest path; a second time finds everything there."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from uuid_utils.compat import uuid7

from alfred import demo
from alfred.channels import normalise
from alfred.crm.contacts import rewrite
from alfred.crm.inbox import Inbox, TakenIn
from alfred.crm.outbox import Draft, send
from alfred.crm.tasks import TaskDraft, add
from alfred.db import Database
from alfred.identity import Passwords
from alfred.queries import Db, sql
from alfred.rules.sentence.compiler import compile as compile_rule
from alfred.running import Provisioned

log = structlog.get_logger()

_NAMES = {"whatsapp": "WhatsApp Loja", "instagram": "Instagram @farol", "email": "E-mail Vendas"}
_ACCOUNTS = {"whatsapp": demo.PHONE_ACCOUNT, "instagram": demo.INSTAGRAM_ACCOUNT, "email": demo.MAILBOX}


async def seed(base: Provisioned) -> None:
    """Make what is missing of the demo account."""
    async with AsyncExitStack() as stack:
        pools = await stack.enter_async_context(base.logins.opened(4))
        database = pools.app
        inbox = Inbox(database, lambda *_: None)
        writing = asyncio.create_task(inbox.run())
        stack.callback(writing.cancel)
        user_id = await _demo_user(pools.auth, base.settings.bcrypt_cost)
        async with database.acting_as(user_id) as db:
            await _channels(db, user_id)
            await _automation(db, user_id)
        fresh = [await _talk(database, inbox, user_id, talk) for talk in demo.talks()]
        if any(fresh):
            await _tasks(database, user_id)
    log.info("demo_seeded", conversations=len(fresh), new=sum(fresh), email=demo.EMAIL)


async def _demo_user(auth: Database, cost: int) -> UUID:
    passwords = Passwords(cost)
    user_id = uuid7()
    profile = {"locale": "pt-BR", "timezone": "America/Sao_Paulo", "currency": "BRL"}
    try:
        hashed = await passwords.hash(demo.PASSWORD)
        async with auth.as_service() as db:
            await sql.users.register.run(
                db,
                user_id=user_id,
                name="Loja Farol",
                email=demo.EMAIL,
                email_key=demo.EMAIL,
                password_hash=hashed,
                **profile,
            )
    except asyncpg.UniqueViolationError:
        async with auth.as_service() as db:
            known = await sql.users.judge_login.one(db, email_key=demo.EMAIL, address="seed", window_seconds=1)
        assert known is not None
        user_id = known["user_id"]
    finally:
        passwords.close()
    return user_id


async def _channels(db: Db, user_id: UUID) -> None:
    page = {"before_at": None, "before_id": None, "limit": 200}
    known = {row["external_account_id"] for row in await sql.channels.page.all(db, user_id=user_id, **page)}
    for type_, account in _ACCOUNTS.items():
        if account not in known:
            values = {"type": type_, "name": _NAMES[type_], "external_account_id": account, "active": True}
            await sql.channels.add.run(db, user_id=user_id, channel_id=uuid7(), **values)


async def _automation(db: Db, user_id: UUID) -> None:
    """Before the messages come, so that they are seen at work."""
    page = {"before_at": None, "before_id": None, "limit": 200}
    known = {row["text"] for row in await sql.rules.page.all(db, user_id=user_id, **page)}
    for sentence in demo.RULES:
        if sentence not in known:
            values = compile_rule(sentence).kept() | {"text": sentence}
            await sql.rules.add.run(db, user_id=user_id, rule_id=uuid7(), name=sentence[:60], enabled=True, **values)
    if demo.FLOW["name"] not in {row["name"] for row in await sql.flows.page.all(db, user_id=user_id, **page)}:
        await sql.flows.add.run(db, user_id=user_id, flow_id=uuid7(), **demo.FLOW)


async def _talk(database: Database, inbox: Inbox, user_id: UUID, talk: demo.Talk) -> bool:
    """One conversation, line by line; whether any of it was new."""
    now = datetime.now(UTC)
    taken: TakenIn | None = None
    for number, line in enumerate(talk.lines):
        external_id = f"demo-{talk.handle}-{number}"
        if not line.ours:
            payload = _payload(talk, external_id, line.text, now - timedelta(hours=line.hours))
            (taken,) = await inbox.take_in(user_id, normalise(payload, talk.type).items)
            if taken.duplicate:
                return False
        elif taken is not None and taken.conversation_id is not None:
            sent_at = now - timedelta(hours=line.hours)
            async with database.acting_as(user_id) as db:
                row = await send(db, user_id, UUID(taken.conversation_id), Draft(line.text, external_id=external_id))
                await sql.inbox.backdate.run(db, user_id=user_id, message_id=row["id"], sent_at=sent_at)
    assert taken is not None
    async with database.acting_as(user_id) as db:
        await _finish(db, user_id, talk, taken)
    return True


async def _finish(db: Db, user_id: UUID, talk: demo.Talk, taken: TakenIn) -> None:
    about: dict[str, Any] = {"user_id": user_id, "conversation_id": taken.conversation_id}
    await sql.inbox.refresh_newest.run(db, **about)
    if talk.read:
        await sql.conversations.set_unread.run(db, **about, unread=False)
    for tag in talk.tags:
        await sql.conversations.add_tag.run(db, **about, tag=tag)
    if talk.settings:
        contact = await sql.contacts.get.one(db, user_id=user_id, contact_id=taken.contact_id)
        assert contact is not None
        await rewrite(db, user_id, contact, talk.settings)


async def _tasks(database: Database, user_id: UUID) -> None:
    now = datetime.now(UTC)
    async with database.acting_as(user_id) as db:
        for title, priority, days in demo.TASKS:
            draft = TaskDraft(title=title, priority=priority, due_at=now + timedelta(days=days))
            await add(db, user_id, draft)


def _payload(talk: demo.Talk, external_id: str, text: str, at: datetime) -> dict[str, Any]:
    """What the messenger would have posted."""
    if talk.type == "whatsapp":
        digits = talk.handle.lstrip("+")
        message = {"from": digits, "id": external_id, "timestamp": str(int(at.timestamp())), "type": "text"}
        value = {
            "metadata": {"phone_number_id": demo.PHONE_ACCOUNT},
            "contacts": [{"profile": {"name": talk.name}, "wa_id": digits}],
            "messages": [message | {"text": {"body": text}}],
        }
        return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}
    if talk.type == "instagram":
        event = {
            "sender": {"id": talk.handle},
            "recipient": {"id": demo.INSTAGRAM_ACCOUNT},
            "timestamp": int(at.timestamp() * 1000),
            "message": {"mid": external_id, "text": text},
        }
        return {"object": "instagram", "entry": [{"id": demo.INSTAGRAM_ACCOUNT, "messaging": [event]}]}
    return {
        "message_id": external_id,
        "from": talk.handle,
        "from_name": talk.name,
        "to": demo.MAILBOX,
        "body": text,
        "sent_at": at.isoformat(),
    }
