"""Access tokens: verified once, and known until they expire."""

import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from uuid_utils.compat import uuid7

from alfred import identity
from alfred.identity import AccessTokens, BadToken

KEY = "a secret for tests of more than 32 bytes"


def issued(ttl=60):
    tokens = AccessTokens([KEY], ttl)
    return tokens, tokens.issue(uuid7(), uuid7(), datetime.now(UTC))


def test_a_known_token_is_not_verified_again(monkeypatch):
    tokens, token = issued()
    claims = tokens.read(token)
    monkeypatch.setattr(jwt, "decode", None)
    assert tokens.read(token) == claims


def test_what_is_like_a_known_token_is_not_it():
    tokens, token = issued()
    tokens.read(token)
    for other in (token[:-2], token + "x", token.swapcase(), ""):
        with pytest.raises(BadToken):
            tokens.read(other)


def test_a_known_token_expires(monkeypatch):
    tokens, token = issued(ttl=1)
    assert tokens.read(token).expires_at - datetime.now(UTC) < timedelta(seconds=2)
    monkeypatch.setattr(identity, "CLOCK_LEEWAY_SECONDS", 0, raising=False)
    time.sleep(1.1)
    with pytest.raises(BadToken):
        tokens.read(token)


def test_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(identity, "MOST_VERIFIED", 3)
    tokens = AccessTokens([KEY], 60)
    for _ in range(5):
        tokens.read(tokens.issue(uuid7(), uuid7(), datetime.now(UTC)))
    assert len(tokens._verified) == 3
