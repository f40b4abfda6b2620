"""The way in of before as a fixed yardstick: its SQL under pgbench, one message a transaction."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.ground import Service
from bench.load import TEXTS

READING = (
    '{"sentiment": "neutral", "sentiment_score": -0.1, "urgency": "%s", "negotiation": false,'
    ' "should_create_task": true, "intent": "complaint", "language": "en", "confidence": 0.73, "provider": "mock"}'
)


def lay(at: Service) -> None:
    """Make its functions in the service's database."""
    with psycopg.connect(at.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute((Path(__file__).parent / "yardstick.sql").read_bytes())


def per_second(at: Service, users: Sequence[str], clients: int, seconds: int) -> float:
    """Messages a second by so many clients of pgbench, which has to be on the PATH."""
    pgbench = shutil.which("pgbench")
    if pgbench is None:
        raise SystemExit("pgbench is not on the PATH: it is part of PostgreSQL's contrib")
    place = conninfo_to_dict(at.dsn("alfred_app"))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "message.pgbench"
        script.write_text(_script(users))
        command = [pgbench, "-n", "-M", "prepared", "-U", "alfred_app", "-h", place["host"], "-p", str(place["port"]),
                   "-c", str(clients), "-T", str(seconds), "-D", "n=0", "-f", str(script), place["dbname"]]  # fmt: skip
        ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    found = re.search(r"^tps = ([\d.]+)", ran.stdout, re.MULTILINE)
    if ran.returncode or found is None:
        raise SystemExit(f"pgbench failed:\n{ran.stdout}{ran.stderr}")
    return float(found[1])


def _script(users: Sequence[str]) -> str:
    """A new message of one of 100 known contacts of a tenant, as the service writes one."""
    tenants = ",".join(f"'{user}'" for user in users)
    texts = ",".join("'" + text.replace("'", "''").replace(":", "") + "'" for text in TEXTS)
    ident = "'yard-' || :client_id || '-' || :n || '-' || pg_backend_pid()"
    handle = "'+5511' || (900000000 + :w)"
    reading = f"(case when :t = 5 then '{READING % 'high'}' else '{READING % 'low'}' end)::jsonb"
    tenant = f"(array[{tenants}])[:u]"
    item = f"""jsonb_build_object('user_id', {tenant}, 'key', array[{tenant}, 'whatsapp', {handle}, '1001'],
        'channel_type', 'whatsapp', 'recipient', '1001', 'handles', jsonb_build_array({handle}),
        'name', 'Contact ' || :w, 'text', (array[{texts}])[:t], 'sent_at', now(), 'error', null,
        'classification', {reading},
        'raw', jsonb_build_object('from', {handle}, 'id', {ident})::text, 'kind', 'message', 'message_id', app.uuid7(),
        'external_id', {ident}, 'target', {ident}, 'dedupe_key', {ident}, 'reply_to', null,
        'attachments', '[]'::jsonb)"""
    one_line = " ".join(item.split())
    draws = f"\\set n :n + 1\n\\set u random(1, {len(users)})\n\\set w random(0, 99)\n\\set t random(1, {len(TEXTS)})\n"
    return f"{draws}select yardstick.take_in(jsonb_build_array({one_line}));\n"
