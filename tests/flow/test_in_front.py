"""What the examples put in front of Alfred and around it: nginx with TLS for real, the unit as systemd reads it."""

import asyncio
import contextlib
import datetime
import io
import ipaddress
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import serving
from tests.people import Person, whatsapp

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
HOST = "crm.example.org"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def certificate(folder):
    """A key and a certificate of its own for loopback and the example's name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class Front:
    """nginx with the example's configuration, on ports of its own."""

    def __init__(self, folder, upstream):
        self.folder, self.plain, self.tls = folder, free_port(), free_port()
        text = (ROOT / "examples" / "nginx" / "alfred.conf").read_text(encoding="utf-8")
        for there, here in (
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("listen 443 ", f"listen 127.0.0.1:{self.tls} "),
            ("127.0.0.1:8000", upstream.removeprefix("http://")),
            ("/etc/ssl/alfred", str(folder)),
            ("/var/log/nginx/alfred.log", str(folder / "access.log")),
        ):
            assert there in text
            text = text.replace(there, here)
        (folder / "alfred.conf").write_text(text)
        paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi"))
        paths += "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user} worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{}}\nhttp {{ {paths} include {folder}/alfred.conf; }}\n"
        )

    @property
    def address(self):
        return f"https://127.0.0.1:{self.tls}"

    @contextlib.asynccontextmanager
    async def running(self):
        command = [NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"]
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(10):
                while not await self._accepts():
                    assert process.returncode is None, await process.stderr.read()
                    await asyncio.sleep(0.02)
            yield
        finally:
            process.terminate()
            await process.wait()

    async def _accepts(self):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.tls)
        except OSError:
            return False
        writer.close()
        return True


@pytest.fixture
async def fronted(cluster, tmp_path):
    """nginx before a service: what stands in front, and a session that trusts it."""
    if NGINX is None:
        pytest.skip("no nginx here: apt install nginx-light")
    settings = {"trusted_proxies": "127.0.0.1/32", "public_url": f"https://{HOST}"}
    async with serving(cluster.app(cluster.copy()), **settings) as upstream:
        front = Front(tmp_path, upstream)
        certificate(tmp_path)
        trust = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=tmp_path / "fullchain.pem"))
        async with front.running(), aiohttp.ClientSession(connector=trust, headers={"Host": HOST}) as http:
            yield front, http


async def test_nginx_passes_on_streams_mails_and_addresses_and_writes_down_no_key(fronted, eventually):
    front, http = fronted
    async with http.get(f"http://127.0.0.1:{front.plain}/x?y=1", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/x?y=1")
    ana = await Person.sign_up(http, front.address)
    spoofed = {"X-Forwarded-For": "203.0.113.66"}
    login = {"email": ana.email, "password": "a good password"}
    _, session = await ana.post("/auth/login", login, headers=spoofed)
    sessions = (await ana.get("/me/sessions"))[1]["items"]
    assert {each["address"] for each in sessions} == {"127.0.0.1"}
    assert session["access_token"]

    ticket = (await ana.made("/notifications/stream-ticket", None))["ticket"]
    async with ana.listening(headers={"Authorization": ""}, ticket=ticket) as frames:
        await ana.hears("Preciso disso hoje, é urgente!")
        assert (await frames.next())["data"]  # at once, not when a buffer is full
    big = {"message_id": "<1@x>", "from": "caio@example.com", "to": "v@example.com", "body": "a" * 3_000_000}
    body, kind = io.BytesIO(json.dumps(big).encode()), {"Content-Type": "application/json"}
    status, _, answer = await ana.call("POST", "/webhooks/email", data=body, headers=kind)
    assert status == 200, answer
    await ana.post("/hooks/zapi/a-key-that-nobody-knows/received", whatsapp("oi"))
    status, headers, _ = await ana.call("GET", "/me")
    assert headers["Strict-Transport-Security"] == "max-age=31536000"

    async def logged():
        return (front.folder / "access.log").read_text()

    log = await eventually(logged, lambda text: "/notifications/stream" in text and "/me/sessions" in text)
    assert "/api/v1/hooks/zapi/-" in log
    assert "/api/v1/notifications/stream" in log
    assert "a-key-that" not in log
    assert ticket not in log


async def test_nginx_passes_on_the_web_inbox(fronted):
    """Its page, all that the page names, and the stream that it holds."""
    front, http = fronted
    async with http.get(f"{front.address}/") as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        assert answer.status == 200
    assert "default-src" in policy
    parts = set(re.findall(r'(?:src|href)="(/[^"]+)"', page))
    assert any(part.endswith(".js") for part in parts)
    for part in parts:
        async with http.get(front.address + part) as answer:
            assert (answer.status, len(await answer.read()) > 0) == (200, True), part
    ana = await Person.sign_up(http, front.address)
    async with ana.following() as frames:
        await ana.made("/tasks", {"title": "Ligar"})
        assert (await frames.next())["event"] == "task.created"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_unit_without_a_word(tmp_path):
    text = (ROOT / "examples" / "systemd" / "alfred.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/alfred/bin/serve" in text
    (unit := tmp_path / "alfred.service").write_text(text.replace("/opt/alfred", str(ROOT)))
    told = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
    broken = tmp_path / "broken.service"
    broken.write_text(text.replace("ExecStart=/opt/alfred", "ExecStart=/nowhere"))
    assert subprocess.run(["systemd-analyze", "verify", broken], capture_output=True, timeout=60).returncode != 0
