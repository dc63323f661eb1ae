"""Firefox, as it comes from Debian or Mozilla, driven by its own protocol (Marionette), with the commands of WebDriver.

Playwright's Firefox is a build of its own, and its way to the usual one asks for what ESR does not know.
"""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bff.devstack.servers import free_port
from support.concurrency import until
from support.shop_setups import OpenTab
from support.shop_tabs import PATIENCE_SECONDS, WORDS

NAMES = ("firefox-esr", "firefox")
# Cookies are removed where only the browser's own pages may.
ARGUMENTS = ("--headless", "--marionette", "--remote-allow-system-access", "--no-remote")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PREFERENCES: dict[str, str | int | bool] = {
    "intl.accept_languages": "en-US",
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}
# The first that is seen of the buttons of this name.
BUTTON = """return [...document.querySelectorAll("button")].find((one) =>
  one.checkVisibility() && (one.ariaLabel ?? one.innerText.trim()) === arguments[0])"""
FIELD = """return [...document.querySelectorAll("input, select")].find((one) =>
  one.checkVisibility() &&
  (one.ariaLabel ?? [...one.labels].map((label) => label.innerText).join()).includes(arguments[0]))"""
PICK = """const [select, option] = arguments;
  select.value = [...select.options].find((one) => one.text === option).value;
  select.dispatchEvent(new Event("change", { bubbles: true }))"""


class FirefoxError(Exception):
    """What WebDriver answers where a command fails."""


def firefox_path() -> str:
    named = os.environ.get("FIREFOX")
    found = next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
    assert found, "Firefox is needed: apt-get install firefox-esr, or FIREFOX=/path/to/it"
    return found


class Marionette:
    """One connection: `[0, id, command, parameters]` is answered by `[1, id, error, result]`, each after its length."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._stream = self._socket.makefile("rb")
        self._count = 0
        self._receive()
        self.send("WebDriver:NewSession", acceptInsecureCerts=False)

    def send(self, command: str, **parameters: Any) -> Any:
        self._count += 1
        text = json.dumps([0, self._count, command, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(text), text))
        _, _, error, result = self._receive()
        if error:
            raise FirefoxError(f"{command}: {error['message']}")
        return result.get("value") if isinstance(result, dict) and set(result) == {"value"} else result

    def _receive(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            byte = self._stream.read(1)
            assert byte, "Firefox has ended the connection"
            length += byte
        return json.loads(self._stream.read(int(length[:-1])))

    def close(self) -> None:
        with suppress(OSError, AssertionError, FirefoxError):
            self.send("Marionette:Quit", flags=["eForceQuit"])
        self._stream.close()
        self._socket.close()


class FirefoxTab:
    """Firefox tells of no errors of its pages here, so there is nothing to complain of."""

    def __init__(self, firefox: Marionette) -> None:
        self._firefox = firefox
        self.complaints: list[str] = []

    def open(self, url: str) -> None:
        self._firefox.send("WebDriver:Navigate", url=url)

    def press(self, button: str) -> None:
        self._with(BUTTON, button, lambda element: self._firefox.send("WebDriver:ElementClick", id=element[ELEMENT]))

    def choose(self, label: str, option: str) -> None:
        self._with(FIELD, label, lambda element: self._script(PICK, element, option))

    def fill(self, label: str, text: str) -> None:
        self._with(
            FIELD, label,
            lambda element: self._firefox.send("WebDriver:ElementSendKeys", id=element[ELEMENT], text=text),
        )  # fmt: skip

    def run(self, expression: str) -> Any:
        return self._script(f"return {expression}")

    def words(self) -> str:
        with suppress(FirefoxError):
            return str(self.run(WORDS))
        return ""

    def _script(self, script: str, *arguments: Any) -> Any:
        return self._firefox.send("WebDriver:ExecuteScript", script=script, args=arguments)

    def _with(self, find: str, name: str, act: Any) -> None:
        """As soon as this element is there and nothing covers it; a page that has just changed has another one."""
        failures = [f"{name} is not there"]

        def done() -> bool:
            try:
                element = self._script(find, name)
                if element:
                    act(element)
                return bool(element)
            except FirefoxError as error:
                failures.append(str(error))
                return False

        try:
            until(done, PATIENCE_SECONDS)
        except AssertionError:
            raise AssertionError(f"{failures[-1]}: {self.words()!r}") from None


@contextmanager
def launched() -> Iterator[Marionette]:
    """A Firefox with a profile of its own, until the test ends."""
    # Where the browser keeps its profile until it has really ended.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        port = free_port()
        given = PREFERENCES | {"marionette.port": port}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in given.items()]
        (profile / "user.js").write_text("\n".join(lines), "utf-8")
        process = subprocess.Popen(  # noqa: S603  # The browser.
            [firefox_path(), *ARGUMENTS, "--profile", folder],
            env={"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "MOZ_HEADLESS_WIDTH": "1280"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(lambda: process.poll() is not None or _listens(port), seconds=60)
            with closing(Marionette(port)) as firefox:
                yield firefox
        finally:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def firefox_browser() -> Iterator[Marionette]:
    """One for a module, since it takes long to start."""
    with launched() as firefox:
        yield firefox


@pytest.fixture
def firefox(firefox_browser: Marionette) -> OpenTab:
    """A tab without cookies; whatever else pages keep belongs to a shop's origin, which is another in each test."""
    firefox_browser.send("WebDriver:Navigate", url="about:blank")
    firefox_browser.send("Marionette:SetContext", value="chrome")
    firefox_browser.send("WebDriver:ExecuteScript", script="Services.cookies.removeAll()", args=[])
    firefox_browser.send("Marionette:SetContext", value="content")
    return lambda: FirefoxTab(firefox_browser)
