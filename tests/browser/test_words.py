"""Three languages with equal keys; dates and money as each user writes them."""

import json
import re

import pytest

from alfred.api.site import FOLDER

LANGUAGES = ("en", "pt-BR", "es")
SCRIPTS = sorted([*FOLDER.glob("*.js"), *FOLDER.glob("screens/*.js")])


def core(language):
    return json.loads((FOLDER / "words" / f"{language}.json").read_text(encoding="utf-8"))


def rest(language):
    return json.loads((FOLDER / "words" / f"{language}.more.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words(language):
    assert core(language).keys() == core("en").keys()
    assert rest(language).keys() == rest("en").keys()
    assert not core("en").keys() & rest("en").keys()
    blanks = re.compile(r"\{\d\}")
    for key, text in rest(language).items():
        assert set(blanks.findall(str(text))) == set(blanks.findall(str(rest("en")[key]))), key


def test_every_word_that_a_screen_says_is_there():
    known = core("en").keys() | rest("en").keys()
    said = {
        (file.name, key)
        for file in SCRIPTS
        for key in re.findall(r'\b(?:t|known)\("([\w.]+)"', file.read_text(encoding="utf-8"))
    }
    assert {(file, key) for file, key in said if key not in known} == set()


def test_every_icon_that_a_screen_shows_is_in_the_sprite():
    known = set((FOLDER / "icons.txt").read_text().split())
    used = set()
    for file in SCRIPTS:
        text = file.read_text(encoding="utf-8")
        used |= set(re.findall(r'\bicon\("([\w-]+)"', text)) | set(re.findall(r'\bpicture: "([\w-]+)"', text))
    assert used <= known


def test_text_is_only_ever_text():
    for file in SCRIPTS:
        text = file.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert way not in text, (file.name, way)
        assert all(line.count("`") % 2 == 0 for line in text.splitlines()), file.name


def test_files_are_short_and_budgets_are_kept():
    for file in SCRIPTS:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 250, file.name
    assert sum(len(file.read_bytes()) for file in FOLDER.glob("css/*.css")) < 40_000


@pytest.mark.parametrize(
    ("locale", "language", "email", "button", "heading"),
    [
        ("pt-BR", "pt-BR", "E-mail", "Entrar", "Conversas"),
        ("es", "es", "Correo electrónico", "Iniciar sesión", "Conversaciones"),
    ],
)
def test_the_browser_speaks_before_and_the_user_after(screen, house, locale, language, email, button, heading):
    user = house.signs_up("Bruno", locale=locale)
    screen.open()
    screen.find("button", "Log in")
    screen.speaks(locale)
    screen.open()
    screen.find("button", button)
    screen.find("textbox", email)
    assert screen.run("return document.documentElement.lang") == language
    screen.speaks("en-US")
    screen.enter(user)
    screen.find("list", heading)
    assert screen.run("return document.documentElement.lang") == language
