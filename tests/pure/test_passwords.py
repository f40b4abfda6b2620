"""bcrypt's threads: those who sign up do not keep out those who log in."""

import asyncio

from alfred.identity import Passwords


async def test_a_storm_of_registrations_leaves_logins_their_turn():
    passwords = Passwords(8)
    hashed = await passwords.hash("a good password")
    storm = [asyncio.create_task(passwords.hash(f"password {number}")) for number in range(40)]
    await asyncio.sleep(0.01)
    async with passwords.turn():
        assert await passwords.verify("a good password", hashed)
    assert sum(task.done() for task in storm) < 10
    await asyncio.gather(*storm)
    passwords.close()
