"""A real Chromium on a real service; without a Chromium the run goes on, and says so in its last line."""

import asyncio
import os
import shutil
import sys
import threading

import aiohttp
import pytest

from tests.browser.screen import Screen, start_chromium
from tests.conftest import serving
from tests.people import Person, cloud, whatsapp

_MISSING = "No Chromium with its driver was found: tests/browser did not run (ALFRED_TEST_BROWSER names one).\n"


def pytest_unconfigure(config):
    if getattr(config, "no_chromium", False):
        sys.stdout.write(_MISSING)


def chromium():
    """The browser's path and its driver's, or None."""
    named = os.environ.get("ALFRED_TEST_BROWSER")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]
    found = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    return (found, driver) if found and driver else None


class House:
    """The service in a thread of its own, since a driver blocks the one that it is called from."""

    def __init__(self, dsn, **settings):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._dsn, self._settings = dsn, settings
        self.http = self.run(self._client())
        self.open()

    async def _client(self):
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))

    def run(self, work, seconds=60):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def open(self, port=0):
        self._service = serving(self._dsn, port=port, **self._settings)
        self.address = self.run(self._service.__aenter__())

    def shut(self):
        self.run(self._service.__aexit__(None, None, None))

    def close(self):
        self.shut()
        self.run(self.http.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def signs_up(self, name="Ana", **profile):
        profile = {"locale": "en", "timezone": "America/Sao_Paulo", "currency": "BRL"} | profile
        return Neighbour(self, self.run(Person.sign_up(self.http, self.address, name, **profile)))


class Neighbour:
    """A person whose calls are awaited elsewhere."""

    def __init__(self, house, person):
        self._house, self.person = house, person
        self.email = person.email

    def __getattr__(self, name):
        def call(*given, **more):
            return self._house.run(getattr(self.person, name)(*given, **more))

        return call

    def hear_many(self, texts, people=1000):
        """Many messages of so many customers, as a messenger posts them after a pause: many in one post."""
        for start in range(0, len(texts), 50):
            part = [
                whatsapp(
                    text, f"+55219{number % people:08d}", name=f"Customer {number % people}", at=1714564800 + number
                )
                for number, text in enumerate(texts[start : start + 50], start)
            ]
            values = [post["entry"][0]["changes"][0]["value"] for post in part]
            together = {
                "contacts": [value["contacts"][0] for value in values],
                "messages": [value["messages"][0] for value in values],
            }
            for _ in range(5):  # a machine that has much to do may ask to come again
                status, receipt = self.post("/webhooks/whatsapp", cloud(together))
                if status != 503:
                    break
            assert status == 200, receipt


@pytest.fixture(scope="package")
def driver(request):
    found = chromium()
    if found is None:
        request.config.no_chromium = True
        pytest.skip("no Chromium here")
    driver = start_chromium(*found)
    yield driver
    driver.quit()


@pytest.fixture(scope="package")
def house(cluster, driver):
    house = House(cluster.app(cluster.copy()))
    yield house
    house.close()


@pytest.fixture
def ana(house):
    """A seller who reads English."""
    return house.signs_up()


@pytest.fixture
def screen(driver, house):
    """One window, nobody logged in; afterwards the console must be silent."""
    screen = Screen(driver, house.address)
    screen.begin()
    yield screen
    screen.end()
