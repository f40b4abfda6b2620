"""What a script loses on its way out, and what it must not lose."""

import shutil
from pathlib import Path

import pytest

from alfred.api import site, site_scripts
from alfred.api.site import FOLDER, Site
from alfred.api.site_scripts import shrink


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        ("/** Told. */\nconst total = 1; // one\nuse(total);\n", "const a=1;use(a);"),
        (
            "const { name, size: bytes = 2 } = given;\nuse({ name, bytes });",
            "const{name:a,size:b=2}=given;use({name:a,bytes:b});",
        ),
        ("const count = list.count + list?.count;", "const a=list.count+list?.count;"),
        ("function twice(value) {\n  return value + value;\n}\n", "function b(a){return a+a}"),
        (
            "const say = (name) => `to ${name}, ${{ name }.name} // no note`;",
            "const b=a=>`to ${a}, ${{name:a}.name} // no note`;",
        ),
        ("export const known = (key) => key;", "export const known=a=>a;"),
        ('import { call } from "./api.js";\nconst call_ = call;', 'import{call}from"./api.js";const a=call;'),
        ("const same = one / two / 3, not = /a \\/ [/] b/.test(x);", "const a=one/two/3,not=/a \\/ [/] b/.test(x);"),
        ('const text = "it is // no comment";', 'const a="it is // no comment";'),
        ("const made = { leave() { made.leave(); } };", "const a={leave(){a.leave()}};"),
        ("let wished = 0;\nif (x) { wished = 1; }", "let a=0;if(x){a=1}"),
        ("const less = a - -b + +c;", "const d=a- -b+ +c;"),
        ("const first = 1;\nconst then = { first };\nuse(then);", "const a=1,b={first:a};use(b);"),
        ("const first = () => {\n  use(1);\n};\nlet then = 2;", "const a=()=>{use(1)};let b=2;"),
        ("if (x) {\n  y();\n}\nconst last = use([1, 2,], { z, },);", "if(x){y()}\nconst a=use([1,2],{z});"),
        ("const [, other] = [,];\nfor (const one of other) use(one);", "const[,a]=[,];for(const b of a)use(b);"),
        ("use(true, { true: false });", "use(!0,{true:!1});"),
        (
            'import { button, h } from "./dom.js";\nuse(button(1), button(2), button(3), { button }, h);',
            'import{button as a,h}from"./dom.js";use(a(1),a(2),a(3),{button:a},h);',
        ),
        ("const call = async (name) => name;", "const b=async(a)=>a;"),
    ],
)
def test_only_comments_blanks_and_own_names_change(script, sent):
    assert shrink(script) == sent


def test_what_is_sent_is_sent_again_unchanged():
    for path in (*FOLDER.glob("*.js"), *FOLDER.glob("screens/*.js")):
        once = shrink(path.read_text(encoding="utf-8"))
        assert len(shrink(once)) == len(once), path.name


def test_the_inbox_keeps_its_budget_of_bytes():
    """JavaScript under 120 KB and styles under 40 KB, both before packing."""
    inbox = Site()
    for name in inbox.names:
        inbox.make_ready(name)
    files = inbox.files
    scripts = [len(file.body) for name, file in files.items() if name.endswith(".js")]
    styles = [len(file.body) for name, file in files.items() if name.endswith(".css")]
    assert 80_000 < sum(scripts) < 120_000
    assert 10_000 < sum(styles) < 40_000
    assert all(file.packed is not None for file in files.values() if len(file.body) > 1024)


def test_the_page_waits_for_no_script():
    """Shrinking all of them takes a fifth of a second, and a browser that has them asks for none."""
    inbox = Site()
    assert inbox.files == {}
    assert f"/web/{inbox.edition}/main.js".encode() in inbox.index.body


def test_the_folder_has_another_name_when_a_file_or_what_shrinks_it_has_changed(monkeypatch, tmp_path):
    before = Site().edition
    changed = tmp_path / "site_scripts.py"
    changed.write_bytes(Path(site_scripts.__file__).read_bytes() + b"# another way")
    assert Site().edition == before
    with monkeypatch.context() as patch:
        patch.setattr(site_scripts, "__file__", str(changed))
        assert Site().edition != before
    copy = shutil.copytree(FOLDER, tmp_path / "web")
    with (copy / "main.js").open("a") as script:
        script.write("// said otherwise")
    monkeypatch.setattr(site, "FOLDER", copy)
    assert Site().edition != before
