"""What tests of a model have spent stays counted on the way back to where they were not told apart."""

import asyncpg
import psycopg

from alfred import schema
from tests.migrations.test_stairway import MIGRATIONS
from tests.rich import rows_of, transplant

USED = """insert into ai_usage (user_id, day, provider, feature, calls, input_tokens)
          select user_id, '2026-05-02', provider, feature, calls, calls * 10
            from users, (values ('openai', 'refine', 1), ('openai', 'test', 2), ('anthropic', 'test', 4)) as v
                 (provider, feature, calls)"""


async def test_tests_of_models_stay_counted(cluster, rich, root):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    await transplant(superuser, await rows_of(root, rich.id))
    await superuser.execute(USED)
    await superuser.close()
    schema.roll_back(cluster.owner(name), len(MIGRATIONS) - MIGRATIONS.index("0079.tests_of_models"))
    with psycopg.connect(cluster.superuser(name), autocommit=True) as db:
        rows = db.execute("""select provider, feature, calls, input_tokens, cost from ai_usage
                              where day = '2026-05-02' order by provider""").fetchall()
    assert rows == [("anthropic", "refine", 4, 40, None), ("openai", "refine", 3, 30, None)]
