"""A service of another make to be measured beside Alfred: FastAPI, SQLAlchemy and asyncpg behind uvicorn.

Its folder is named on the command line and is no part of this project. It has app/main.py and app/create_schema.py,
reads DATABASE_URL, and answers /auth/register, /auth/login, /webhooks/{channel} and /conversations as Alfred does.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.ground import PASSWORD, PATIENCE_SECONDS, Service


@dataclass(frozen=True)
class Rival:
    """It runs, on the PostgreSQL of a service."""

    address: str
    pid: int

    def token(self) -> str:
        """That of a new user."""
        email = f"{secrets.token_hex(8)}@example.com"
        self._post("/auth/register", {"name": "Ana Prado", "email": email, "password": PASSWORD})
        session = self._post("/auth/login", {"email": email, "password": PASSWORD})
        return str((session.get("tokens") or session)["access_token"])

    def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/api/v1{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            answered: dict[str, Any] = json.load(answer)
        return answered


@contextlib.contextmanager
def rival(folder: Path, python: str, beside: Service, workers: int = 1) -> Iterator[Rival]:
    """Start it with `python`, in which its packages are installed."""
    database = "rival" + secrets.token_hex(3)
    with psycopg.connect(beside.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute(f"create database {database}".encode())
    dsn = beside.dsn("postgres").replace("/alfred?", f"/{database}?")
    environment = {**os.environ, "DATABASE_URL": dsn.replace("postgresql:", "postgresql+asyncpg:", 1), "PYTHONPATH": ""}
    subprocess.run([python, "-m", "app.create_schema"], cwd=folder, env=environment, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
    ]
    command = [python, "-m", "uvicorn", "app.main:app", "--host", "127.0.0.1", *options]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield Rival(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit("The rival did not start.")
