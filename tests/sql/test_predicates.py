"""Every query of sql/ without row level security: its own predicates keep tenants apart.

Three people have a database whose policies can be opened: Rica with a row in every table, her twin with the same ids,
and Nina with nothing. Whatever the twin and Nina ask must be answered as under the policies, and do the
same.
"""

import contextlib
import itertools
import json
import re
from uuid import UUID

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare
from tests.rich import columns_of, rows_of, transplant
from tests.sql.arguments import ALWAYS, ARGUMENTS, FITTING, MAY, SECOND, cast, fits
from tests.sql.test_every_query import QUERIES, TENANT_TABLES

WRITING = re.compile(r"\b(?:insert into|update|delete from)\b|\bapp\.\w+\(")
ADDING = (".add", ".schedule", ".send", ".add_upload", ".add_lane", ".add_identity", ".register", ".issue_ticket")
# Refused whatever is asked: makes the very person who asks.
REFUSED = {"users.register"}
# Whose rows they are about is told by the hat alone.
OF_THE_HAT = {"conversations.items", "conversations.found_items", "conversations.found_items_of"}
MODES = ("off", "on")
# What Rica's texts begin with, and her twin's do not.
HERS, WORDS = "zebra", ["body", "title", "description", "name", "notes", "text", "snippet", "detail"]
SEARCHES = {
    "conversations": "select app.search_conversations($1)",
    "contacts": "select app.search_contacts($1)",
    "a page": "select unnest(ids) from app.search_found($1, null, null, 10, '1 min')",
    "a page that is walked": "select unnest(ids) from app.search_walk($1, null, null, 10, '1 min')",
    "what the index knows": "select conversation_id from app.search_held($1)",
    "where it hits": "select from unnest(app.search_hits_of($1, false, array({}))) hit where hit is not null",
    "where it hits, by threads": "select from unnest(app.search_hits_of($1, true, array({}))) h where h is not null",
    "a page, as the version before asks": "select app.search_page($1, null, null, 10)",
    "where it hits, as the version before asks": "select conversation_id from app.search_matches($1, array({}))",
}


@pytest.fixture(scope="module")
async def house(rich, root, cluster):
    """The database of the three; a superuser's connection that plays the application, and what it knows."""
    rows = await rows_of(root, rich.id)
    (conversation, *_), (message, *_) = rows["conversations"], rows["messages"]
    for table in ("connections", "connection_secrets", "channel_hooks", "media", "deliveries", "hook_keys"):
        for row in rows[table]:  # all of the conversation that is asked for
            row["channel_id"] = conversation["channel_id"]
            if "message_id" in row:
                row["message_id"], row["position"] = message["message_id"], 0
    for row in rows["idempotency_keys"]:
        row["claimed_at"] = MAY.isoformat()
    db = await asyncpg.connect(cluster.superuser(cluster.copy()))
    await prepare(db)
    twin, nina = uuid7(), uuid7()
    await transplant(db, rows)
    await transplant(db, rows, str(twin))
    await transplant(db, {"users": rows["users"]}, str(nina))
    await vary(db, rich.id)
    await estrange(db, rich.id)
    await db.execute(
        """insert into contacts (user_id, contact_id, handle, channel_type)
           select distinct on (user_id) user_id, $1::uuid, '+5511900000888', 'whatsapp' from contacts""",
        SECOND,
    )
    await db.execute("select setval(oid::regclass, 1000000000) from pg_class where relkind = 'S'")  # beyond those rows
    policies = await db.fetch(
        """select polname, polrelid::regclass::text as table, polcmd, pg_get_expr(polqual, polrelid) as read,
                  pg_get_expr(polwithcheck, polrelid) as write
             from pg_policy where polroles = '{0}' or 'alfred_app'::regrole = any (polroles)"""
    )
    for policy in policies:
        parts = [
            f"{word} ({expression} or current_setting('app.open', true) = 'on')"
            for word, expression in (("using", policy["read"]), ("with check", policy["write"]))
            if expression
        ]
        await db.execute(f"alter policy {policy['polname']} on {policy['table']} {' '.join(parts)}")
    house = House(db, rows, {"twin": twin, "nina": nina})
    yield house
    await db.close()


class House:
    def __init__(self, db, rows, people):
        self.db, self.rows, self.people = db, rows, people
        self.known = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(rows))) | {str(p) for p in people.values()}
        self.digest = " union all ".join(
            f"""select '{table}', count(*) filter (where user_id = $1),
                       md5(string_agg(t::text, '' order by t::text) filter (where user_id <> $1)) from {table} t"""
            for table in TENANT_TABLES
        )

    async def ask(self, query, text, person, arguments, mode):
        """What comes of a query: (rows, or None where it is refused; what others have afterwards). Nothing is kept."""
        transaction = self.db.transaction()
        await transaction.start()
        try:
            await self.db.execute(
                f"""select app.act_as('{person}'); set local app.open = '{mode}'; {self.removed(query, person)}
                    set local role alfred_app; savepoint before"""
            )
            try:
                answer = sorted(self.plain(tuple(row)) for row in await self.db.fetch(text, *arguments))
            except (asyncpg.PostgresError, asyncpg.DataError):
                answer = None
                await self.db.execute("rollback to before")
            return answer, await self.kept(person) if WRITING.search(text) else {}
        finally:
            await transaction.rollback()

    def removed(self, query, person):
        """Room for what is added: the person's own rows go, without what refers to them."""
        tables = [table for table in re.findall(r"\binsert into (\w+)", query.text) if table in TENANT_TABLES]
        if not tables or not query.name.endswith(ADDING):
            return ""
        gone = "".join(f"delete from {table} where user_id = '{person}'; " for table in tables)
        return f"set local session_replication_role = replica; {gone} set local session_replication_role = origin;"

    async def kept(self, person):
        """By table: how many rows are the person's, and what everybody else has."""
        await self.db.execute("reset role")
        return {row[0]: row[1:] for row in await self.db.fetch(self.digest, person)}

    def plain(self, value):
        """What is the same in two runs: ids and moments that were made just now are left out."""
        text = re.sub(
            r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda found: found[0] if found[0] in self.known else "new", str(value)
        )
        return re.sub(r"datetime\(20[^()]*\)", "moment", text)

    async def variants(self, query, text, person):
        """Arguments by the parameters' names: none that may be left out; then as rows of the tables have them."""
        types = (await self.db.prepare(text)).get_parameters()
        touched = [table for table in TENANT_TABLES if re.search(rf"\b{table}\b", query.text)]
        seen = []
        if query.name in FITTING:
            yield [
                person if name == "user_id" else self.fitting(query, name, each)
                for name, each in zip(query.parameters, types, strict=True)
            ]
        for row in [None, *(row for table in touched[:3] for row in self.rows[table][:2])]:
            for full in (True, False) if row else (False,):
                found = [
                    person if name == "user_id" else self.argument(name, each, row, full)
                    for name, each in zip(query.parameters, types, strict=True)
                ]
                if found not in seen:
                    seen.append(found)
                    yield found

    def fitting(self, query, name, wanted_type):
        match FITTING[query.name].get(name):
            case None:
                return self.argument(name, wanted_type, None, True)
            case (table, number):
                return UUID(self.rows[table][number][name])
            case [(table, number, column)]:
                return [cast(self.rows[table][number][column], wanted_type.name.removesuffix("[]").lstrip("_"))]
            case value:
                return value

    def argument(self, name, wanted_type, row, full):
        """What the row has under this name, else any row; where it is not full only ids and what is given always."""
        kind, several = wanted_type.name.removesuffix("[]").lstrip("_"), wanted_type.kind == "array"
        single = name.removesuffix("s")
        wanted = row and (full or kind in {"uuid", "bytea"} or several)
        for each in [row, *itertools.chain(*self.rows.values())] if wanted else ():
            own = next((column for column in each if column.endswith("_id") and column != "user_id"), "")
            for column in (own,) if name == "ids" else (name, single + "_id", single):
                value = each.get(column)
                if value is not None and fits(value, kind):
                    return [cast(value, kind)] if several and not isinstance(value, list) else cast(value, kind)
        if (name in ALWAYS or (full and name in ARGUMENTS)) and several in {isinstance(ARGUMENTS[name], list), False}:
            return ARGUMENTS[name]
        if several:
            return []
        return {"int8": 1, "int4": 1, "bool": False, "float8": 1.0}.get(kind) if full else None


async def vary(db, user_id):
    """More rows for one tenant, in every state that the tables know; what a constraint refuses is left out."""
    sets = await db.fetch(
        """select conrelid::regclass::text as table, attname as column, pg_get_constraintdef(c.oid) as text
             from pg_constraint c join pg_attribute on attrelid = conrelid and attnum = conkey[1]
            where contype = 'c' and cardinality(conkey) = 1 and connamespace = 'public'::regnamespace"""
    )
    await db.execute("set session_replication_role = replica")
    for table, column, text in sets:
        key = f"{table.removesuffix('s').removeprefix('ai_').removeprefix('api_').removeprefix('webhook_')}_id"
        columns = await columns_of(db, table)
        for value in re.findall(r"'(\w+)'::text", text) if key in columns else ():
            with contextlib.suppress(asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
                await db.execute(
                    f"""insert into {table} ({", ".join(columns)}) overriding system value
                        select made.{", made.".join(columns)}
                          from (select t from {table} t where user_id = $1 limit 1) one,
                               json_populate_record(one.t, json_build_object(
                                   '{key}', app.uuid7(), '{column}', $2::text, 'dedupe_key', app.uuid7(),
                                   'number', -(random() * 1e9)::bigint)) made""",
                    user_id,
                    value,
                )
    await db.execute("update rule_matches set pending = true where user_id = $1", user_id)
    await db.execute("set session_replication_role = origin")


async def estrange(db, user_id):
    """Other words and later moments for one tenant: what of hers shows among her twin's is seen."""
    columns = await db.fetch(
        """select attrelid::regclass::text as table, attname as column, atttypid = 'text'::regtype as is_text
             from pg_attribute
            where attrelid::regclass::text = any ($1) and attnum > 0 and not attisdropped and attgenerated = ''
              and (atttypid = 'timestamptz'::regtype or atttypid = 'text'::regtype and attname = any ($2))""",
        list(TENANT_TABLES),
        WORDS,
    )
    await db.execute("set session_replication_role = replica")
    for table, column, is_text in columns:
        other = f"'{HERS} ' || {column}" if is_text else f"{column} + interval '1 hour'"
        with contextlib.suppress(asyncpg.IntegrityConstraintViolationError):
            await db.execute(f"update {table} set {column} = {other} where user_id = $1", user_id)
    await db.execute("set session_replication_role = origin")


async def differences(house, query, text=None):
    """Where the policies would have made a difference; and whether the query ran at all."""
    text, found, ran = text or query.text, [], False
    for name, person in house.people.items():
        async for arguments in house.variants(query, text, person):
            strict, opened = [await house.ask(query, text, person, arguments, mode) for mode in MODES]
            ran |= opened[0] is not None
            if strict != opened:
                changed = [table for table in opened[1] if strict[1][table] != opened[1][table]]
                found.append((name, arguments, strict[0], opened[0], changed))
    return found, ran


@pytest.mark.parametrize(
    "query",
    [query for query in QUERIES.values() if "user_id" in query.parameters or query.name in OF_THE_HAT],
    ids=lambda query: query.name,
)
async def test_the_predicates_alone_keep_tenants_apart(query, house):
    found, ran = await differences(house, query)
    assert found == []
    assert ran or query.name in REFUSED, "refused whatever was asked"


@pytest.mark.parametrize("search", SEARCHES)
async def test_a_search_finds_ones_own_words_only(search, house, rich):
    """Its function reads everybody's rows: what it says of the tenant is all that keeps them apart."""
    for person, finds in ((UUID(rich.id), True), (house.people["twin"], False), (house.people["nina"], False)):
        async with house.db.transaction():
            await house.db.execute(f"select app.act_as('{person}')")
            own = await house.db.fetch(SEARCHES[search].format("select conversation_id from conversations"), HERS)
        assert bool(own) == finds, person
