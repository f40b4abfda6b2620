"""Two contacts that are one person, and one that is two."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import asyncpg
from pydantic import Field

from alfred.api.contacts import Contact, get_contact
from alfred.crm.contacts import LastIdentity, NoSuchContact, NothingToUndo, merge, unmerge
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input
from alfred.http.problems import Fault, Problem, bad_reference, invalid, not_found
from alfred.queries import Db

T = TypeVar("T")

routes = Routes("Contacts")
MOST_TRIES = 3


class Merge(Input):
    contact_id: UUID = Field(description="The contact to merge into the one in the path. It is removed.")


@routes.on("POST", "/contacts/{contact_id}/merge", errors=(404,))
async def merge_contacts(caller: Caller, services: Services, contact_id: UUID, body: Merge) -> Contact:
    """Merge another contact into this one.

    Answers the merged contact. Undo it with `unmerge`.
    Identities, conversations, tasks and notifications go over, and fill what this contact lacks: name, e-mail, phone,
    notes, and prices that are in the same currency. Its settings stay. `unmerge` undoes it.
    """
    if body.contact_id == contact_id:
        raise invalid([Fault("/contact_id", "A contact cannot be merged with itself.", "same_contact")])

    async def work(db: Db) -> Contact:
        await merge(db, caller.user_id, contact_id, body.contact_id)
        return await get_contact(db, caller, contact_id)

    try:
        return await repeated(services, caller, work, asyncpg.DeadlockDetectedError)
    except NoSuchContact as error:
        if error.contact_id == contact_id:
            raise not_found("contact") from None
        raise bad_reference("/contact_id", "contact") from None


@routes.on("POST", "/contacts/{contact_id}/unmerge", errors=(404, 409))
async def unmerge_contact(caller: Caller, services: Services, contact_id: UUID) -> Contact:
    """Undo the last merge into this contact.

    Answers the contact that was restored, as it was.
    It brings its identities, conversations and tasks, and whatever was added to them since. What it had filled in here
    is emptied again where nobody has changed it. Without a merge to undo, a number that was taken for this contact's
    (a Brazilian mobile with or without its ninth digit) becomes a contact of its own, and stays one.
    """

    async def work(db: Db) -> Contact:
        return await get_contact(db, caller, await unmerge(db, caller.user_id, contact_id))

    try:
        parted = await repeated(services, caller, work, asyncpg.DeadlockDetectedError)
    except NoSuchContact:
        raise not_found("contact") from None
    except NothingToUndo:
        raise Problem(409, "nothing_to_undo", "Nothing was merged into this contact.") from None
    except LastIdentity:
        detail = "This contact would be left without an identity; give it one of its own first."
        raise Problem(409, "last_identity", detail) from None
    services.bus.announce([caller.user_id])
    return parted


async def repeated(
    services: Services, caller: Caller, work: Callable[[Db], Awaitable[T]], *troubles: type[Exception]
) -> T:
    """In a transaction of its own, again when others who touch the same people came in between."""
    for _ in range(MOST_TRIES - 1):
        try:
            async with services.database.acting_as(caller.user_id) as db:
                return await work(db)
        except troubles:
            continue
    async with services.database.acting_as(caller.user_id) as db:
        return await work(db)
