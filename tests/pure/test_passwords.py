"""bcrypt's threads: those who sign up do not keep out those who log in."""

import asyncio

import bcrypt

from alfred.identity import Passwords


async def test_a_storm_of_registrations_leaves_logins_their_turn():
    passwords = Passwords(8)
    hashed = await passwords.hash("a good password")
    storm = [asyncio.create_task(passwords.hash(f"password {number}")) for number in range(40)]
    await asyncio.sleep(0.01)
    async with passwords.turn():
        assert await passwords.verify("a good password", hashed)
    assert sum(task.done() for task in storm) < 30, "it did not wait for those who came before"
    await asyncio.gather(*storm)
    passwords.close()


async def test_one_visible_password_is_one_whichever_way_it_comes():
    passwords = Passwords(4)
    composed, decomposed = "caf\u00e9 s\u00e9cret", "cafe\u0301 se\u0301cret"
    try:
        for given in (composed, decomposed):
            hashed = await passwords.hash(given)
            assert await passwords.form_that_fits(composed, hashed) == composed
            assert await passwords.form_that_fits(decomposed, hashed) == composed
        # Older hashes were made of the letters as they came.
        older = bcrypt.hashpw(decomposed.encode(), bcrypt.gensalt(4)).decode()
        assert await passwords.form_that_fits(composed, older) == decomposed
        assert await passwords.form_that_fits(decomposed, older) == decomposed
        assert not await passwords.verify("cafe secret", older)
        # 72 bytes are counted in the normal form: 36 letters, not 24.
        assert await passwords.verify("e\u0301" * 36, await passwords.hash("e\u0301" * 36))
        assert not await passwords.verify("e\u0301" * 37, await passwords.hash("e\u0301" * 36))
    finally:
        passwords.close()


async def test_an_unknown_email_costs_the_same_bcrypt(monkeypatch):
    """Counted, not timed: as many hashes are tried, each of the same cost."""
    passwords, tried, real = Passwords(5), [], bcrypt.checkpw

    def counting(letters, hashed):
        tried.append(hashed[:7])
        return real(letters, hashed)

    monkeypatch.setattr("alfred.identity.bcrypt.checkpw", counting)
    try:
        hashed = await passwords.hash("a good password")
        costs = []
        for known in (hashed, None):
            tried.clear()
            assert not await passwords.verify("a wrong password", known)
            costs.append(list(tried))
        assert costs[0] == costs[1] == [b"$2b$05$"]
    finally:
        passwords.close()
