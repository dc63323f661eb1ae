"""Pictures of every page in every state, on a phone and on a desk, light and dark, in English and in Arabic.

PYTHONPATH=.:tests python tests/support/screenshots.py FOLDER         all of them, a folder for each persona
PYTHONPATH=.:tests python tests/support/screenshots.py --docs FOLDER  those that the documentation shows

THEME, LAYOUT and BRAND_NAME of the environment are passed on. PERSONAS="ella penny" takes theirs alone.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import httpx2
from playwright.sync_api import Browser

from bff.cli import migrate_database
from bff.devstack.servers import free_port, postgres, valkey
from bff.devstack.stack import environment
from bff.sandbox.config import Config
from bff.sandbox.serving import serve
from bff.telemetry.logs import set_up
from support.chromium import launched, visiting
from support.every_page import TOURS, tour
from support.services import Vendors, in_thread, settings_for

WIDTHS = (360, 1280)
# What the documentation shows: persona, place, name of the picture.
SHOWN = {
    "penny": {"join": "join"},
    "ella": {"redemption failed": "outcome-failed"},
    "tara": {
        "redemption succeeded": "outcome-succeeded",
        "redemption unknown": "outcome-being-checked",
        "redemption not confirmed": "outcome-unknown",
    },
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = ("en", "ar")
HEIGHT = "document.documentElement.scrollHeight"
# The documentation is longer than a picture can be.
HIGHEST = 6000


def main(arguments: list[str]) -> None:
    match arguments:
        case ["--docs", folder]:
            with stack() as (vendors, settings), launched() as browser:
                take_for_docs(browser, vendors, settings, Path(folder))
        case [folder]:
            with launched() as browser:
                for persona in os.environ.get("PERSONAS", " ".join(TOURS)).split():
                    # Stores of their own: what one has seen would be there for the next.
                    with stack() as (vendors, settings):
                        take_all(persona, browser, vendors, settings, Path(folder))
        case _:
            sys.exit(__doc__)


@contextmanager
def stack() -> Iterator[tuple[Vendors, dict[str, str]]]:
    """Both stores and the sandbox, and the environment of a service that stands on them."""
    url = f"http://localhost:{free_port()}"
    secret = environment(1, 1, "", "")["SHOPIFY_CLIENT_SECRET"]
    config = Config(redirect_uris=(f"{url}/callback",), javascript_origins=(url,), client_secret=secret)
    with (
        TemporaryDirectory() as folder,
        postgres(Path(folder)) as database,
        valkey(Path(folder)) as store,
        serve(config) as sandbox,
        httpx2.Client(trust_env=False) as http,
    ):
        migrate_database(database.url)
        stores = {"DATABASE_URL": database.url, "VALKEY_URL": store.url}
        # Troubles are staged here, so only what nobody expects is worth a line.
        set_up("error", sys.stderr)
        look = {name: os.environ[name] for name in ("THEME", "LAYOUT", "BRAND_NAME") if name in os.environ}
        yield Vendors(sandbox, http), settings_for(url, stores, sandbox) | look


def take_all(persona: str, browser: Browser, vendors: Vendors, settings: dict[str, str], folder: Path) -> None:
    """All places of one persona: FOLDER/ella/reward-en-360-light.png and so on."""
    vendors.reset()
    (folder / persona).mkdir(parents=True, exist_ok=True)
    with in_thread(settings) as service, visiting(browser, service, reduced_motion="reduce") as visit:
        for place in tour(persona, visit, vendors):
            for language in LANGUAGES:
                visit.speak(language)
                for width, scheme in product(WIDTHS, SCHEMES):
                    visit.page.emulate_media(color_scheme=scheme)
                    # As high as the page, so that what stands at the bottom of a screen stands at its bottom.
                    visit.page.set_viewport_size({"width": width, "height": 640})
                    visit.page.set_viewport_size({"width": width, "height": min(visit.run(HEIGHT), HIGHEST)})
                    name = f"{place.name.replace(' ', '-')}-{language}-{width}-{scheme}.png"
                    visit.page.screenshot(path=folder / persona / name)
            visit.choose("en")


def take_for_docs(browser: Browser, vendors: Vendors, settings: dict[str, str], folder: Path) -> None:
    """The join page and the four outcomes of a redemption on a phone, sharp on good screens."""
    options = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 1.25, "color_scheme": "light"}
    for persona, named in SHOWN.items():
        vendors.reset()
        with in_thread(settings) as service, visiting(browser, service, **options) as visit:
            for place in tour(persona, visit, vendors):
                if place.name in named:
                    visit.page.screenshot(path=folder / f"{named[place.name]}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
