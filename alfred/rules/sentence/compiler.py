"""Compiles what sellers write into rules, in Portuguese, English and Spanish, or says what it cannot."""

from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from alfred.rules.conditions import ALWAYS, Compiled
from alfred.rules.fields import Value
from alfred.rules.sentence.building import ANYTHING, Cond
from alfred.rules.sentence.explaining import explain_rule, tell_action, tell_condition, tell_refusal
from alfred.rules.sentence.reader import Reader, Reason, Refused
from alfred.rules.sentence.sentences import Sentence
from alfred.rules.sentence.suggesting import suggestions
from alfred.rules.sentence.tokens import Token, UnclosedQuote, tokenise
from alfred.rules.sentence.vocabulary import LANGUAGES, vocabulary
from alfred.rules.tree import leaves
from alfred.terms import LONGEST_RULE_TEXT, Language, language_of

__all__ = ["CompiledRule", "NotUnderstood", "compile", "explain_rule"]


class CompiledRule(Value):
    """A sentence understood: the rule, the rule said back, the words that were left aside."""

    compiled: Compiled
    explanation: str
    warnings: tuple[str, ...] = ()
    language: Language

    def kept(self) -> dict[str, Any]:
        """What is stored of it, beside the sentence."""
        form = self.compiled.model_dump(mode="json", by_alias=True, exclude_none=True)
        return self.model_dump(mode="json", exclude={"compiled"}) | {"compiled": form}


class NotUnderstood(ValueError):
    """No rule: `understood` and `not_understood` quote or say back parts.

    `suggestion` is the nearest sentence that is a rule, `example` any such one.
    """

    def __init__(self, reason: Refused, understood: tuple[str, ...], language: Language) -> None:
        self.code = reason.reason
        self.understood = understood
        self.not_understood = (reason.words,) if reason.words else ()
        self.language = language
        self.message = tell_refusal(reason.reason, reason.words, language)
        self.example: str = vocabulary(language).say["example"]
        self.suggestion = self.example
        super().__init__(self.message)


def compile(text: str, *, language: str | None = None) -> CompiledRule:  # noqa: A001 - the verb of the trade
    """The rule that a sentence states; `language`, a tag such as pt-BR, is tried first. Or NotUnderstood."""
    tokens = _tokens(text)
    rules: list[CompiledRule] = []
    failures: dict[Language, NotUnderstood] = {}
    for each in _by_likelihood(tokens, language_of(language)):
        try:
            rule = _compile(text, tokens, each)
        except NotUnderstood as failure:
            failures[each] = failure
            continue
        if not rule.warnings:
            return rule
        rules.append(rule)
    if rules:
        return min(rules, key=lambda rule: len(rule.warnings))
    refusal = failures[_by_likelihood(tokens, None)[0]]
    refusal.suggestion = _nearest(text, tokens, refusal)
    raise refusal


def _nearest(text: str, tokens: list[Token] | Refused, failure: NotUnderstood) -> str:
    """The nearest sentence that is a rule in the refusal's language, without warnings."""
    if isinstance(tokens, Refused):
        return failure.example
    about: tuple[Reason, str] = (failure.code, "".join(failure.not_understood))
    for sentence in suggestions(text, tokens, about, vocabulary(failure.language)):
        with suppress(NotUnderstood):
            if not _compile(sentence, tokenise(sentence), failure.language).warnings:
                return sentence
    return failure.example


def _tokens(text: str) -> list[Token] | Refused:
    """The sentence cut once for all languages, or why it cannot be."""
    if len(text) > LONGEST_RULE_TEXT:
        return Refused("too_long")
    try:
        return tokenise(text)
    except UnclosedQuote as error:
        return Refused("unclosed_quote", error.rest)


def _by_likelihood(tokens: list[Token] | Refused, hint: Language | None) -> list[Language]:
    """The hint first, then the languages by how many of the words belong to them."""
    words = [] if isinstance(tokens, Refused) else tokens
    return sorted(LANGUAGES, key=lambda each: (each != hint, -vocabulary(each).familiarity(words)))


def _compile(text: str, tokens: list[Token] | Refused, language: Language) -> CompiledRule:
    if isinstance(tokens, Refused):
        raise NotUnderstood(tokens, (), language)
    words = vocabulary(language)
    sentence = Sentence(Reader(text, tokens, words))
    try:
        trigger, when, then = sentence.read()
        when = when if when != ANYTHING else ALWAYS.model_dump(mode="json")
        compiled = Compiled.model_validate({"trigger": trigger, "when": when, "then": then})
    except ValidationError as error:
        raise NotUnderstood(Refused("too_long"), _understood(sentence, language), language) from error
    except Refused as refusal:
        raise NotUnderstood(refusal, _understood(sentence, language), language) from refusal
    left_out = [words.say["warning"].format(words=each) for each in sentence.leftovers]
    supposed = [words.say["supposed"].format(words=each) for each in _supposed(sentence, when)]
    warnings = (*left_out, *supposed)
    return CompiledRule(
        compiled=compiled,
        explanation=explain_rule(compiled, language),
        warnings=warnings,
        language=language,
    )


def _supposed(sentence: Sentence, when: Cond) -> list[str]:
    """Loose words behind "and" that the rule now looks for."""
    wanted = [value for leaf in leaves(when) if isinstance(leaf, dict) for value in _values(leaf)]
    return [each for each in dict.fromkeys(sentence.loose_words) if each in wanted]


def _values(leaf: Cond) -> list[object]:
    value = leaf["value"]
    return value if isinstance(value, list) else [value]


def _understood(sentence: Sentence, language: Language) -> tuple[str, ...]:
    conditions = [tell_condition(part, language) for part in sentence.conditions if part != ANYTHING]
    return (*conditions, *(tell_action(action, language) for action in sentence.actions))
