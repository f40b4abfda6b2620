"""Secrets at rest: readable in their place with a known key, and nowhere else."""

import pytest

from alfred.vault import DamagedSecret, UnknownKey, Vault, place

OLD, NEW = "an old key of at least 32 bytes ....", "a new key of at least 32 bytes ....."
HERE = place("user", "channel", "access_token")


@pytest.fixture
def vault():
    return Vault([OLD])


def test_what_is_encrypted_is_read_again(vault):
    sealed = vault.encrypt("EAAB-ção", HERE)
    assert b"EAAB" not in sealed
    assert sealed[0] == 1
    assert vault.decrypt(sealed, HERE) == "EAAB-ção"
    assert vault.encrypt("EAAB-ção", HERE) != sealed


def test_another_place_cannot_read_it(vault):
    with pytest.raises(DamagedSecret):
        vault.decrypt(vault.encrypt("x", HERE), place("other", "channel", "access_token"))


@pytest.mark.parametrize("byte", [0, 5, 17, -1])
def test_a_changed_byte_is_noticed(vault, byte):
    sealed = bytearray(vault.encrypt("x", HERE))
    sealed[byte] ^= 1
    with pytest.raises(DamagedSecret):
        vault.decrypt(bytes(sealed), HERE)


def test_the_first_key_encrypts_and_all_decrypt(vault):
    sealed = vault.encrypt("x", HERE)
    both = Vault([NEW, OLD])
    assert both.decrypt(sealed, HERE) == "x"
    assert not both.is_current(sealed)
    assert both.is_current(both.encrypt("x", HERE))
    with pytest.raises(UnknownKey):
        Vault([NEW]).decrypt(sealed, HERE)


def test_keys_for_signatures_differ_by_purpose(vault):
    assert vault.keys_for("media links") != vault.keys_for("something else")
    assert Vault([NEW, OLD]).keys_for("media links")[1:] == vault.keys_for("media links")
