"""The words of one language, from its file in lexicon/, ready to be found in a row of tokens."""

import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from alfred.rules.sentence.tokens import Token, fold_word
from alfred.terms import Language

LANGUAGES: tuple[Language, ...] = ("pt", "en", "es")
_CHOICE = re.compile(r"\{([^}]*)\}")
_GROUP = re.compile(r"\(([^)]*)\)")
_END = ""


class Vocabulary:
    """Categories of phrases; each phrase stands for a value, in plain lists for itself."""

    def __init__(self, language: Language, tables: dict[str, Any]) -> None:
        self.language = language
        self.infinitives: tuple[str, ...] = tuple(tables["infinitives"])
        self.adverbs: tuple[str, ...] = tuple(tables["adverbs"])
        self.say: dict[str, Any] = tables.get("say", {})
        self.hints: list[dict[str, Any]] = tables.get("hints", [])
        self._tries: dict[str, dict[str, Any]] = {}
        for name, table in tables.items():
            if name == "words":
                for category, patterns in table.items():
                    self._learn(category, category, patterns)
            elif isinstance(table, dict) and name != "say":
                for value, patterns in table.items():
                    self._learn(name, value, patterns)
        self._beginning: dict[str, frozenset[str]] = {}
        for name, trie in self._tries.items():
            for word in trie:
                self._beginning[word] = self._beginning.get(word, frozenset()) | {name}
        self._known = {word for trie in self._tries.values() for word in _words(trie)}

    def _learn(self, category: str, value: str, patterns: list[str]) -> None:
        for phrase in itertools.chain.from_iterable(map(expand, patterns)):
            node = self._tries.setdefault(category, {})
            for word in phrase:
                node = node.setdefault(word, {})
            node[_END] = value

    def find(self, category: str, tokens: Sequence[Token], start: int) -> tuple[str, int] | None:
        """The longest phrase of a category that begins at a token: its value and where it ends."""
        node, found = self._tries[category], None
        for place in range(start, len(tokens)):
            token = tokens[place]
            if token.kind != "word" or token.text not in node:
                break
            node = node[token.text]
            if _END in node:
                found = (node[_END], place + 1)
        return found

    def beginning(self, token: Token) -> frozenset[str]:
        """The categories of which a phrase may begin at this token: most words begin none."""
        return self._beginning.get(token.text, frozenset()) if token.kind == "word" else frozenset()

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(self._tries)

    def familiarity(self, tokens: Sequence[Token]) -> int:
        """How many of the words belong to this language's rules."""
        return sum(token.kind == "word" and token.text in self._known for token in tokens)


def expand(pattern: str) -> Iterator[tuple[str, ...]]:
    """Each phrase that a pattern stands for: `{a|b}` one of these, `(a|b)` one of these or nothing."""
    if choice := _CHOICE.search(pattern):
        found, kept = choice, choice[1].split("|")
    elif group := _GROUP.search(pattern):
        found, kept = group, ["", *group[1].split("|")]
    else:
        phrase = tuple(fold_word(word) for word in pattern.split())
        if phrase:
            yield phrase
        return
    for each in kept:
        yield from expand(pattern[: found.start()] + each + pattern[found.end() :])


def _words(trie: dict[str, Any]) -> Iterator[str]:
    for word, below in trie.items():
        if word != _END:
            yield word
            yield from _words(below)


def vocabularies_are_read() -> bool:
    """Whether those of all languages are; reading them takes a third of a second."""
    return vocabulary.cache_info().currsize == len(LANGUAGES)


def read_vocabularies() -> None:
    """Read those of all languages, at most once."""
    for language in LANGUAGES:
        vocabulary(language)


@cache
def vocabulary(language: Language) -> Vocabulary:
    """A language's words, read once."""
    file = Path(__file__).with_name("lexicon") / f"{language}.toml"
    return Vocabulary(language, tomllib.loads(file.read_text("utf-8")))
