"""What a migration makes of rows that are there already is what the service would have written."""

import asyncpg
import psycopg

from alfred import schema
from tests.migrations.test_stairway import MIGRATIONS
from tests.rich import rows_of, transplant

# Rows as those have them who go back to before all of these: one message that failed, one session that was ended.
OF_BEFORE = """
    update messages m set status = 'failed' from conversations c where m.message_id = c.last_message_id;
    update conversations set failed_message_id = last_message_id, last_message_direction = 'inbound', waiting_since = (
        select min(m.sent_at) from messages m
         where m.conversation_id = conversations.conversation_id and m.direction = 'inbound');
    update refresh_tokens set revoked_at = now();
    update sessions set ended_at = now()
"""
# What is filled in, since which migration.
FILLED = {
    "0040.sessions": "select session_id, ended_at is not null, last_used_at from sessions",
    "0041.waiting": "select conversation_id, waiting_since from conversations",
    "0044.tags": "select user_id, tag, conversation_id from conversation_tags",
    "0068.last_failed": "select conversation_id, failed_message_id from conversations",
    "0080.first_classification": """
        select number, coalesce(first_classification, classification) || payload
          from ai_events join messages using (user_id, message_id) where type = 'message.classified'""",
}


async def test_what_going_back_loses_is_filled_in_again(cluster, rich, root):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    await transplant(superuser, await rows_of(root, rich.id))
    await superuser.execute(f"set session_replication_role = replica; {OF_BEFORE}")
    await superuser.close()
    with psycopg.connect(cluster.superuser(name), autocommit=True) as db:

        def filled():
            return {since: sorted(db.execute(asked).fetchall()) for since, asked in FILLED.items()}

        before = filled()
        assert all(rows and None not in rows[0] for rows in before.values()), before
        schema.roll_back(cluster.owner(name), len(MIGRATIONS) - MIGRATIONS.index(min(FILLED)))
        schema.apply(cluster.owner(name))
        assert filled() == before
