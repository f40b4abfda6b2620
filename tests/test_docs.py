"""The documents keep their word: settings, links, commands, and nothing of the machine that they were written on."""

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from alfred.schema import CLOSED
from alfred.settings import PREFIX, Settings, secret_settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Read by bin/ rather than by the service.
_OTHERS = {"ALFRED_VENV", "ALFRED_TEST_BROWSER"}
_MACHINE = re.compile(r"(?<![\w.])/(root|work|home/\w+|Users)/|/tmp/|\b\d+\.\d+\.\d+\.\d+:\d+\b|\bfile://")


def documents():
    """Every document in the repository, as git knows them, or in a checkout without git as they lie there."""
    told = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    names = told.stdout.split() if told.returncode == 0 else []
    return [ROOT / name for name in names] or [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def written(default):
    """A default as the table writes it."""
    if isinstance(default, tuple) and default:
        return f"`{','.join(map(str, default))}`"
    return "none" if default is None or default == () else f"`{default}`"


def test_the_readme_has_every_setting_with_its_default():
    table = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| (\S+) \|", README, re.MULTILINE))
    expected = {PREFIX + name.upper(): written(field.default) for name, field in Settings.model_fields.items()}
    assert table == expected


def test_the_example_has_every_setting_with_its_default():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(rf"^(?:# ?)?({PREFIX}\w+)=(.*)$", text, re.MULTILINE)
    fields = {PREFIX + name.upper(): written(field.default).strip("`") for name, field in Settings.model_fields.items()}
    assert sorted(name for name, _ in named) == sorted(fields)  # each once
    for name, value in named:
        assert (value or "none") == fields[name] or "..." in value, name


@pytest.mark.parametrize(
    "name", ["README.md", ".env.example", "docker-compose.yml", "Dockerfile", "docs/operations.md"]
)
def test_no_document_speaks_of_a_setting_that_is_not_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    known = {PREFIX + field.upper() for field in Settings.model_fields} | _OTHERS
    known |= {f"{PREFIX}{field.upper()}_FILE" for field in secret_settings()}
    assert set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", text)) <= known


def test_operators_are_told_what_a_superuser_takes_away():
    assert CLOSED.strip() in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    for target in targets:
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_speaks_of_a_machine(document):
    lines = document.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if _MACHINE.search(line.replace("127.0.0.1", "localhost"))] == []


def test_the_commands_of_the_readme_exist():
    scripts = set(re.findall(r"\bbin/(\w+)", README))
    assert {script for script in scripts if not (ROOT / "bin" / script).is_file()} == set()
    told = (ROOT / "alfred" / "__main__.py").read_text(encoding="utf-8")
    for command in re.findall(r"bin/alfred (\w+)", README):
        assert f'add_parser("{command}"' in told


def test_every_module_has_its_line_in_the_architecture():
    drawn = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    modules = {path.name for path in (ROOT / "alfred").glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in (ROOT / "alfred").glob("*/__init__.py")}
    assert {name for name in modules | folders if name not in drawn} == set()


def test_every_dependency_has_its_reason():
    cfg = configparser.ConfigParser(interpolation=None)
    cfg.read(ROOT / "setup.cfg")
    wanted = re.findall(r"^([\w-]+)", cfg["options"]["install_requires"], re.MULTILINE)
    table = re.findall(
        r"^\| ([\w-]+) \|", (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert table == ["package", "---", *sorted(wanted)]
    tools = re.findall(r"^([\w-]+)", cfg["options.extras_require"]["test"], re.MULTILINE)
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert [tool for tool in tools if tool not in text] == []


def anchors(document):
    """The headings of a document as links name them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


VECTOR = {
    "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "headers": {
        "webhook-id": "0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11",
        "webhook-timestamp": "1795687200",
        "webhook-signature": "v1,x v1,4b/DzcX1GaQZQML7jNSyc4iVdcjB+3ZLg97edS6tyD0=",
    },
    "body": '{"id":"0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11","type":"message.received",'
    '"timestamp":"2026-11-26T10:00:00.000Z","data":{"text":"Olá, preço?"}}',
}
# By how many seconds the clock differs, which header is changed to what, and whether it is genuine.
VERDICTS = [
    (0, None, None, True), (299, None, None, True), (301, None, None, False), (-301, None, None, False),
    (0, "webhook-timestamp", None, False), (0, "webhook-timestamp", "x", False), (0, "webhook-signature", None, False),
    (0, "webhook-signature", "v1,ü", False), (0, "webhook-id", None, False), (0, "webhook-id", "other", False),
]  # fmt: skip


def changed(name, value):
    headers = VECTOR["headers"] | ({name: value} if name else {})
    return {each: text for each, text in headers.items() if text is not None}


def verifier(language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs/events.md").read_text(encoding="utf-8"), re.DOTALL)[0]


def test_the_verifier_in_python_is_right(monkeypatch):
    page = {"__name__": "page"}
    exec(verifier("python"), page)
    for late, name, value, genuine in VERDICTS:
        monkeypatch.setattr(page["time"], "time", lambda late=late: 1795687200 + late)
        verdict = page["is_genuine"](VECTOR["secret"], changed(name, value), VECTOR["body"].encode())
        assert verdict is genuine, (late, name, value)


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node")
def test_the_verifier_in_javascript_is_right(tmp_path):
    (tmp_path / "receiver.js").write_text(verifier("javascript"), encoding="utf-8")
    cases = [[late, changed(name, value)] for late, name, value, _ in VERDICTS]
    script = """const { isGenuine } = require('./receiver.js');
      const [secret, body, cases] = JSON.parse(process.argv[1]);
      console.log(JSON.stringify(cases.map(([late, headers]) => { Date.now = () => (1795687200 + late) * 1000;
        return isGenuine(secret, headers, Buffer.from(body)); })));"""
    words = json.dumps([VECTOR["secret"], VECTOR["body"], cases])
    run = subprocess.run(["node", "-e", script, words], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [genuine for *_, genuine in VERDICTS]
