"""Contacts: people, known by their channel identities, and how to deal with them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from aiohttp import web
from pydantic import Field, model_validator
from uuid_utils.compat import uuid7

from alfred.api.identities import Identity, Known, type_of
from alfred.api.message_models import MessageReferral
from alfred.crm.contacts import rewrite
from alfred.crm.erasure import erase_contact
from alfred.events import record
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import (
    Currency,
    Handle,
    IfGiven,
    Input,
    Listing,
    Moment,
    Money,
    Name,
    Notes,
    Output,
    Page,
    SearchText,
)
from alfred.http.pages import newest_first
from alfred.http.problems import Fault, Problem, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.terms import MOST_IDENTITIES, ChannelType, NegotiationMode, Tone

routes = Routes("Contacts")


class SettingsChange(Input):
    negotiation_enabled: IfGiven[bool] = None
    negotiation_mode: IfGiven[NegotiationMode] = None
    base_price: Money | None = None
    custom_price: Money | None = None
    currency: Currency | None = None
    vip: IfGiven[bool] = None
    preferred_tone: IfGiven[Tone] = None


class ContactSettings(Output):
    negotiation_enabled: bool
    negotiation_mode: NegotiationMode = Field(examples=["suggest"])
    base_price: Money | None = Field(examples=["120.00"])
    custom_price: Money | None = Field(examples=["99.90"])
    currency: str = Field(examples=["BRL"])
    vip: bool
    preferred_tone: Tone = Field(examples=["friendly"])


class NewContact(Input):
    name: Name | None = Field(None, examples=["Marina Quintela"])
    handle: Handle | None = Field(None, examples=["+5511900000012"], description="Value of the first identity.")
    channel_type: ChannelType | None = Field(
        None, examples=["whatsapp"], description="Default: derived from the handle."
    )
    email: Handle | None = Field(None, examples=["marina@example.com"])
    phone: Handle | None = Field(None, examples=["+5511900000012"])
    notes: Notes | None = None
    identities: list[Identity] = Field([], max_length=MOST_IDENTITIES)
    settings: SettingsChange = SettingsChange()

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.handle is None and not self.identities:
            raise ValueError("a contact needs a handle or an identity")
        if self.handle is not None and self.channel_type is None and type_of(self.handle) is None:
            raise ValueError("say the channel_type of this handle")
        self.known_by()
        return self

    def known_by(self) -> list[Known]:
        """Every identity once, the handle's first."""
        first = []
        if self.handle is not None:
            first = [Known.of(self.channel_type or type_of(self.handle) or "whatsapp", self.handle)]
        return list(dict.fromkeys([*first, *(identity.known() for identity in self.identities)]))


class ContactChange(Input):
    name: Name | None = None
    handle: IfGiven[Handle] = None
    channel_type: IfGiven[ChannelType] = None
    email: Handle | None = None
    phone: Handle | None = None
    notes: Notes | None = None
    identities: IfGiven[list[Identity]] = Field(None, min_length=1, max_length=MOST_IDENTITIES)
    opted_out_at: Moment | None = Field(None, description="`null` where the customer wants messages again.")
    settings: IfGiven[SettingsChange] = None


class IdentityOut(Output):
    channel_type: ChannelType = Field(examples=["whatsapp"])
    value: str = Field(examples=["+5511900000012"])


class Contact(Output):
    id: UUID
    name: str | None = Field(examples=["Marina Quintela"])
    handle: str = Field(examples=["+5511900000012"])
    channel_type: ChannelType = Field(examples=["whatsapp"])
    email: str | None
    phone: str | None
    notes: str | None
    identities: list[IdentityOut]
    opted_out_at: datetime | None = Field(description="Since when the customer wants no messages.")
    first_referral: MessageReferral | None = Field(description="The advertisement or link that first brought them.")
    last_referral: MessageReferral | None
    settings: ContactSettings
    created_at: datetime
    updated_at: datetime


class ContactFilter(Listing):
    q: SearchText | None = Field(None, description="Text in the name or handle. Ignores case and accents.")
    vip: bool | None = None
    channel: ChannelType | None = None
    opted_out: bool | None = Field(None, description="Whether the customer wants no messages.")


@routes.on("GET", "/contacts")
async def list_contacts(db: Db, caller: Caller, request: web.Request, query: ContactFilter) -> Page[Contact]:
    """List contacts, newest first."""
    given = {"user_id": caller.user_id, **query.model_dump(include={"q", "vip", "channel", "opted_out"})}
    found = await newest_first(db, request, query, sql.contacts.page, **given)
    currency = await _currency(db, caller)
    return found.of(lambda row: contact_of(row, currency))


@routes.on("POST", "/contacts", status=201, errors=(409,))
async def create_contact(db: Db, caller: Caller, body: NewContact) -> Contact:
    """Create a contact.

    The other ways to write a mobile number (Brazil's ninth digit, Mexico's 1, Argentina's 9) are the same number: where
    another contact has it in one of them, it is taken (409 `handle_taken`).
    """
    contact_id, identities = uuid7(), body.known_by()
    await sql.contacts.add.run(
        db,
        user_id=caller.user_id,
        contact_id=contact_id,
        handle=identities[0].value,
        channel_type=identities[0].channel_type,
        **body.model_dump(include={"name", "email", "phone", "notes"}),
    )
    await _add_identities(db, caller, contact_id, identities)
    if body.settings.model_fields_set:
        row = await _held(db, caller, contact_id)
        await _store(db, caller, row, {}, body.settings)
    told = {"name": body.name, "handle": identities[0].value, "channel_type": identities[0].channel_type}
    await record(db, caller.user_id, "contact.created", told, contact_id=contact_id)
    return await _contact(db, caller, contact_id)


@routes.on("GET", "/contacts/{contact_id}", errors=(404,))
async def get_contact(db: Db, caller: Caller, contact_id: UUID) -> Contact:
    """Get a contact."""
    return await _contact(db, caller, contact_id)


@routes.on("PATCH", "/contacts/{contact_id}", errors=(404, 409))
async def update_contact(db: Db, caller: Caller, contact_id: UUID, body: ContactChange) -> Contact:
    """Update a contact.

    Changes the fields that are present; `identities` replaces them all.
    """
    row = await _held(db, caller, contact_id)
    given = body.given()
    given.pop("settings", None)
    identities = given.pop("identities", None)
    primary = _primary(row, body)
    if identities is not None:
        wanted = list(dict.fromkeys(identity.known() for identity in identities))
        primary = primary if primary in wanted or body.handle is not None else wanted[0]
        await _replace_identities(db, caller, row, [primary, *(i for i in wanted if i != primary)])
    elif (primary.channel_type, primary.value) != (row["channel_type"], row["handle"]):
        kept = [Known(**known) for known in row["identities"]]
        old = Known(row["channel_type"], row["handle"])
        await _replace_identities(db, caller, row, [primary, *(i for i in kept if i not in (old, primary))])
    given |= {"handle": primary.value, "channel_type": primary.channel_type}
    await _store(db, caller, row, given, body.settings or SettingsChange())
    await _tell_change(db, caller, contact_id, body.model_dump(mode="json", exclude_unset=True))
    return await _contact(db, caller, contact_id)


@routes.on("DELETE", "/contacts/{contact_id}", status=204, errors=(404,))
async def delete_contact(db: Db, caller: Caller, services: Services, contact_id: UUID) -> None:
    """Delete a contact and all its data.

    The same messages delivered again stay deleted, and an import does not bring the contact back. A new message from
    that person makes a new contact.
    """
    if not await erase_contact(db, services.suppression, caller.user_id, contact_id):
        raise not_found("contact")


@routes.on("GET", "/contacts/{contact_id}/settings", errors=(404,))
async def get_contact_settings(db: Db, caller: Caller, contact_id: UUID) -> ContactSettings:
    """Get a contact's negotiation settings."""
    return (await _contact(db, caller, contact_id)).settings


@routes.on("PATCH", "/contacts/{contact_id}/settings", errors=(404,))
async def update_contact_settings(db: Db, caller: Caller, contact_id: UUID, body: SettingsChange) -> ContactSettings:
    """Update a contact's negotiation settings.

    `null` clears a price or the currency.
    """
    await _store(db, caller, await _held(db, caller, contact_id), {}, body)
    await _tell_change(db, caller, contact_id, {"settings": body.model_dump(mode="json", exclude_unset=True)})
    return (await _contact(db, caller, contact_id)).settings


def contact_of(row: Row, currency: str) -> Contact:
    """A row of sql/contacts.sql as the API shows it; without a currency of its own it has the user's."""
    values = dict(row)
    return Contact(**values, settings=ContactSettings(**values | {"currency": values["currency"] or currency}))


async def _contact(db: Db, caller: Caller, contact_id: UUID) -> Contact:
    row = await sql.contacts.get.one(db, user_id=caller.user_id, contact_id=contact_id)
    if row is None:
        raise not_found("contact")
    return contact_of(row, await _currency(db, caller))


async def _held(db: Db, caller: Caller, contact_id: UUID) -> Row:
    await sql.contacts.hold.run(db, user_id=caller.user_id, contact_id=contact_id)
    row = await sql.contacts.get.one(db, user_id=caller.user_id, contact_id=contact_id)
    if row is None:
        raise not_found("contact")
    return row


async def _tell_change(db: Db, caller: Caller, contact_id: UUID, changes: dict[str, Any]) -> None:
    if changes:
        await record(db, caller.user_id, "contact.updated", changes, contact_id=contact_id)


async def _currency(db: Db, caller: Caller) -> str:
    return str(await sql.users.currency.value(db, user_id=caller.user_id))


async def _store(db: Db, caller: Caller, row: Row, given: dict[str, Any], settings: SettingsChange) -> None:
    await rewrite(db, caller.user_id, row, given | settings.given())


async def _add_identities(db: Db, caller: Caller, contact_id: UUID, identities: list[Known]) -> None:
    about = {"user_id": caller.user_id, "contact_id": contact_id}
    for identity in identities:
        ways = {"channel_type": identity.channel_type, "ways": identity.ways()}
        if len(ways["ways"]) > 1:
            await sql.contacts.hold_number.run(db, user_id=caller.user_id, **ways)
            if await sql.contacts.is_anothers.value(db, **about, **ways):
                raise Problem(409, "handle_taken", "Another contact has this number, written in another way.")
        await sql.contacts.add_identity.run(db, **about, **identity._asdict())


async def _replace_identities(db: Db, caller: Caller, row: Row, wanted: list[Known]) -> None:
    known = [Known(**each) for each in row["identities"]]
    for gone in known:
        if gone not in wanted:
            await sql.contacts.remove_identity.run(db, user_id=caller.user_id, contact_id=row["id"], **gone._asdict())
    await _add_identities(db, caller, row["id"], [new for new in wanted if new not in known])


def _primary(row: Row, body: ContactChange) -> Known:
    handle = body.handle or row["handle"]
    guess = type_of(handle) if body.handle is not None and row["channel_type"] in {"email", "whatsapp"} else None
    channel_type = body.channel_type or guess or row["channel_type"]
    if body.handle is None and channel_type == row["channel_type"]:
        return Known(channel_type, handle)  # as it is stored, whatever the rules were then
    try:
        return Known.of(channel_type, handle)
    except ValueError as error:
        raise invalid([Fault("/handle", f"{error}.".capitalize(), "string_too_long")]) from None
