"""The picture of the README: the seeded demo in the web inbox, as a real Chromium shows it."""

import os
import shutil
import subprocess
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from alfred import demo
from bench.ground import ROOT, Service, service

PICTURE = ROOT / "docs" / "inbox.png"
WIDTH, HEIGHT = 1440, 900
SETTLE_SECONDS = 2.0


def main() -> None:
    """Seed, log in, open the newest conversation, ask the assistant, and take the picture."""
    with service() as running:
        _seed(running)
        driver = chromium()
        try:
            PICTURE.write_bytes(_picture(driver, running.address))
        finally:
            driver.quit()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} KB")


def _seed(running: Service) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ALFRED_HOME": str(running.home)}
    subprocess.run([sys.executable, "-m", "alfred", "seed"], env=environment, cwd=ROOT, check=True, capture_output=True)


def chromium() -> webdriver.Chrome:
    """A Chromium without a window of its own, as wide as a desk."""
    named = os.environ.get("ALFRED_TEST_BROWSER", "chromium")
    browser, driver = shutil.which(named), shutil.which("chromedriver")
    if browser is None or driver is None:
        raise SystemExit("Chromium and its driver are needed: on Debian, the packages chromium and chromium-driver.")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    window = webdriver.Chrome(options=options, service=Driver(driver))
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return window


def _picture(driver: webdriver.Chrome, address: str) -> bytes:
    driver.implicitly_wait(10)
    driver.get(address)
    driver.find_element(By.NAME, "email").send_keys(demo.EMAIL)
    driver.find_element(By.NAME, "password").send_keys(demo.PASSWORD, Keys.ENTER)
    driver.find_element(By.CSS_SELECTOR, ".row a").click()
    driver.find_element(By.CSS_SELECTOR, ".composer .button.soft").click()
    driver.find_element(By.CSS_SELECTOR, ".suggestion")
    time.sleep(SETTLE_SECONDS)
    return driver.get_screenshot_as_png()


if __name__ == "__main__":
    main()
