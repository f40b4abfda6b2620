"""The operator's commands for accounts: make one, set a password."""

import asyncio
import getpass
import sys

import psycopg
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from alfred.api.accounts import Registration
from alfred.api.logins import key_of
from alfred.fault_sentences import sentence_of
from alfred.identity import BadAccount, Passwords
from alfred.queries import sql
from alfred.running import Provisioned, provisioned
from alfred.settings import BadSetting, Settings


def change_accounts(settings: Settings, action: str, email: str, name: str | None) -> None:
    """Make an account (`add`) or set its password (`password`).

    Raises:
        BadAccount: what was given cannot be taken.
    """
    password = _ask_password()
    with provisioned(settings) as base:
        if action == "add":
            asyncio.run(_add_account(base, email, name or email.partition("@")[0], password))
        else:
            asyncio.run(_set_password(base, email, password))


def _ask_password() -> str:
    """From the terminal, typed twice, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise BadAccount("The two passwords differ.")
    return password


async def _add_account(base: Provisioned, email: str, name: str, password: str) -> None:
    """Make an account, also where registration is closed.

    Raises:
        BadAccount: an invalid e-mail, name or password, or an e-mail that is taken.
    """
    account = _checked(email, name, password)
    passwords = Passwords(base.settings.bcrypt_cost)
    try:
        hashed = await passwords.hash(password)
        profile = account.model_dump(include={"name", "email", "locale", "timezone", "currency"})
        async with base.logins.opened() as pools, pools.auth.as_service() as db:
            known = await sql.users.judge_login.one(db, email_key=key_of(email), address="", window_seconds=1)
            if known is not None and known["user_id"] is not None:
                raise BadAccount(f"{email} has an account already.")
            login = {"email_key": key_of(email), "password_hash": hashed}
            await sql.users.register.run(db, user_id=uuid7(), **login, **profile)
    finally:
        passwords.close()


async def _set_password(base: Provisioned, email: str, password: str) -> None:
    """Set a password as the owner of the database; every session of the account ends.

    Raises:
        BadAccount: an invalid password, or an e-mail that nobody has.
    """
    _checked(email, "somebody", password)
    if base.owner_dsn is None:
        raise BadSetting("ALFRED_OWNER_DATABASE_URL is needed to set a password")
    passwords = Passwords(base.settings.bcrypt_cost)
    try:
        hashed = await passwords.hash(password)
    finally:
        passwords.close()
    with psycopg.connect(base.owner_dsn, autocommit=True) as owner:
        row = owner.execute("select app.set_password(%s, %s)", [key_of(email), hashed]).fetchone()
    if row is None or not row[0]:
        raise BadAccount(f"Nobody has the e-mail {email}.")


def _checked(email: str, name: str, password: str) -> Registration:
    try:
        return Registration.model_validate({"email": email, "name": name, "password": password})
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        words = " ".join(f"{fault['loc'][0]}: {sentence_of(fault)}" for fault in faults)
        raise BadAccount(words) from None
