"""constraints.txt: every package that is installed has one version, in the range of setup.cfg, and hashes."""

import configparser
import re
import subprocess
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
CFG = configparser.ConfigParser(interpolation=None)
CFG.read(ROOT / "setup.cfg")


def pins(section):
    """What bin/python and the Dockerfile install of a heading: name to version."""
    wanted = f"/^# --/ {{ on = $0 ~ /^# -- ({section}):/ }} on"
    text = subprocess.run(["awk", wanted, CONSTRAINTS], capture_output=True, text=True, check=True).stdout
    return {canonicalize_name(name): version for name, version in re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE)}


def wanted(words):
    return [Requirement(line) for line in words.split("\n") if line and not line.startswith("#")]


def test_every_line_is_a_version_or_one_of_its_hashes():
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pin, digest = re.compile(r"[\w.-]+==[\w.+!]+ \\"), re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if not (line.startswith("#") or pin.fullmatch(line) or digest.fullmatch(line))] == []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert line.endswith("\\") == following.startswith("    --hash"), line


def test_the_pins_of_each_heading_are_what_setup_cfg_asks_for():
    service, extras = pins("service"), CFG["options.extras_require"]
    assert not service.keys() & pins("test").keys()
    for have, asked in (
        (service, wanted(CFG["options"]["install_requires"])),
        (pins("service|test"), wanted(extras["test"])),
        (pins("alone"), wanted(extras["test_files"])),
        (pins("building"), [Requirement("setuptools>=68")]),
    ):
        for each in asked:
            assert each.specifier.contains(have[canonicalize_name(each.name)]), each


def test_what_a_pinned_package_needs_is_pinned_too():
    """bin/python installs what is for tests without asking what it needs."""
    have = pins("service|test")
    for name in have:
        for each in map(Requirement, metadata.requires(name) or ()):
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                assert each.specifier.contains(have.get(canonicalize_name(each.name), "none"), True), (name, str(each))


def test_nothing_is_installed_without_its_hash():
    for name in ("bin/python", "Dockerfile"):
        text = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
        for line in re.findall(r"pip install [^\n]*", text):
            assert "--require-hashes" in line or "--no-deps --no-build-isolation ." in line, line
