"""What runs in containers: bounded, without rights, secrets as files, images by exact tag. No Docker is needed here."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from alfred.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_every_container_is_bounded_and_gains_no_rights(name):
    service = COMPOSE["services"][name]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["ulimits"]["nofile"]
    assert "no-new-privileges:true" in service["security_opt"]
    if name != "postgres":  # whose image begins as root, and gives it up by itself
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_images_have_exact_tags():
    images = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    images += [each["image"] for each in COMPOSE["services"].values() if each["image"] != "alfred"]
    assert len(images) == 3
    for image in images:
        assert re.fullmatch(r"[\w/.-]+:\d+\.\d+(\.\d+)?-[\w-]+(@sha256:[0-9a-f]{64})?", image), image


def test_secrets_are_files_and_the_owners_is_for_migrating_alone():
    services = COMPOSE["services"]
    for service in services.values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in value
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert "owner_database_url" not in services["alfred"]["secrets"]
    assert {each["file"] for each in COMPOSE["secrets"].values()} == {f"secrets/{name}" for name in COMPOSE["secrets"]}


def test_the_proxy_that_compose_trusts_is_its_own_network():
    trusted = COMPOSE["services"]["alfred"]["environment"]["ALFRED_TRUSTED_PROXIES"]
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert trusted == f"${{ALFRED_TRUSTED_PROXIES:-{network['subnet']}}}"


def test_compose_secrets_makes_what_the_service_reads_and_keeps_it(tmp_path):
    (tmp_path / "bin").mkdir()
    script = shutil.copy(ROOT / "bin" / "compose-secrets", tmp_path / "bin")
    (tmp_path / ".env").write_text("APP_PASSWORD=from-before\nALFRED_LOG_LEVEL=info\n")
    told = subprocess.run([script], capture_output=True, text=True, check=True)
    assert "remove OWNER_PASSWORD, APP_PASSWORD" in told.stderr
    assert "from-before" not in told.stderr
    secrets = tmp_path / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    made = {file.name: file.read_text() for file in secrets.iterdir()}
    assert made.keys() == COMPOSE["secrets"].keys()
    assert made["database_url"] == "postgresql://alfred_app:from-before@postgres:5432/alfred"
    assert made["owner_password"] in made["owner_database_url"]
    environ = COMPOSE["services"]["migrate"]["environment"] | {"ALFRED_TRUSTED_PROXIES": "", "ALFRED_LOG_FORMAT": ""}
    settings = Settings.load({name: value.replace("/run/secrets", str(secrets)) for name, value in environ.items()})
    assert settings.owner_database_url.get_secret_value() == made["owner_database_url"]
    subprocess.run([script], capture_output=True, check=True, env=os.environ)
    assert {file.name: file.read_text() for file in secrets.iterdir()} == made
