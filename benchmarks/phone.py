"""How soon a page is there on a phone, how much it weighs, and whether it moves while it comes.

Chromium is slowed down by the DevTools protocol to what Lighthouse takes for a mid phone on slow 4G: a fourth of the
processor, 1.6 Mbit/s and 150 ms to the server and back. Each page comes first to an empty cache, as from a link in an
e-mail, and then once more, as from a page before it. Times are medians, of this machine's browser and only good for
comparing; weights and shifts are the same everywhere.

    CHROMIUM=chromium python -m benchmarks.phone            a table
    CHROMIUM=chromium python -m benchmarks.phone --smoke    whether it works at all: one page, and not slowed down
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.overload import sandbox
from benchmarks.processes import RESULTS, machine
from benchmarks.webhooks import served, until_up
from bff.cli import migrate_database
from bff.devstack.servers import free_port, postgres, valkey
from bff.devstack.stack import environment
from bff.vendors.transport import Transport

# Lighthouse's `mobileSlow4G`. A request waits for all round trips that its connection would take.
PROCESSOR = 4
NETWORK = {
    "offline": False,
    "latency": 150 * 3.75,
    "downloadThroughput": 1_638_400 * 0.9 / 8,
    "uploadThroughput": 750_000 * 0.9 / 8,
}
PHONE: Any = {
    "viewport": {"width": 412, "height": 823},
    "device_scale_factor": 1.75,
    "is_mobile": True,
    "has_touch": True,
    "locale": "en-GB",
}
PAGES: dict[str, tuple[str, ...]] = {
    "stranger": ("/", "/rewards", "/earn", "/join"),
    "penny": ("/", "/join"),
    "ella": ("/", "/earn", "/rewards", "/coupons", "/tiers", "/activity", "/refer"),
}
TIMES = 5
# The largest thing is told by its tag and how many of this tag are in front of it.
MEASURE = """() => new Promise((done) => {
  const found = {first_paint_ms: 0, largest_paint_ms: 0, shift: 0, tag: "", number: 0, moved: []};
  const on = {
    "paint": (entry) => { if (entry.name === "first-contentful-paint") found.first_paint_ms = entry.startTime },
    "largest-contentful-paint": ({startTime, element}) => {
      found.largest_paint_ms = startTime;
      if (!element) return;
      found.tag = element.tagName.toLowerCase();
      found.number = [...document.getElementsByTagName(found.tag)].indexOf(element);
    },
    "layout-shift": (entry) => {
      found.shift += entry.value;
      found.moved.push(...entry.sources.map(({node}) => node?.outerHTML?.slice(0, 60)));
    },
  };
  for (const [type, take] of Object.entries(on))
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({type, buffered: true});
  const came = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  found.bytes = came.reduce((sum, one) => sum + one.transferSize, 0);
  found.requests = came.filter((one) => one.transferSize > 0).length;
  requestAnimationFrame(() => setTimeout(() => done(found), 50));
})"""


@dataclass(frozen=True)
class Came:
    """How a page came, once. `bytes` are those on the wire, heads and all; what came from the cache has none."""

    first_paint_ms: float
    largest_paint_ms: float
    shift: float
    tag: str
    number: int
    moved: list[str]
    bytes: int
    requests: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="ask for one page, and do not slow the browser down")
    parser.add_argument("--json", type=Path, default=RESULTS / "phone.json", help="where the figures are written")
    chosen = parser.parse_args()
    found = {"machine": machine(), "pages": list(measure(chosen.smoke))}
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps(found, indent=1))


def measure(is_smoke: bool) -> Iterator[dict[str, Any]]:
    pages = {"ella": ("/",)} if is_smoke else PAGES
    print(f"{'page':<22}{'first':>10}{'largest':>10}{'KB':>7}{'again':>10}{'KB':>7}{'requests':>10}{'shift':>8}")
    with running() as address, chromium() as browser:
        for who, paths in pages.items():
            with browser.new_context(**PHONE) as context:
                page = context.new_page()
                if who != "stranger":
                    sign_in(page, address, who)
                if not is_smoke:
                    slow_down(page)
                for path in paths:
                    yield shown(who, path, *timed(page, address + path, 1 if is_smoke else TIMES))


@contextmanager
def running() -> Iterator[str]:
    """A whole service, whose vendors answer at once; gives its address."""
    with TemporaryDirectory() as folder, postgres(Path(folder)) as database, valkey(Path(folder)) as store:
        migrate_database(database.url)
        settings = environment(free_port(), free_port(), database.url, store.url)
        with sandbox(settings), served(settings):
            asyncio.run(answers(settings["PUBLIC_URL"]))
            yield settings["PUBLIC_URL"]


async def answers(address: str) -> None:
    async with Transport() as http:
        await until_up(http, address)


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if path is None:
        sys.exit("This needs Chromium: CHROMIUM=/path/to/it")
    arguments = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=arguments) as browser:
        yield browser


def sign_in(page: Page, address: str, persona: str) -> None:
    page.goto(f"{address}/login?return_to=/")
    page.locator(f"input[name=persona][value={persona}]").check()
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{address}/**")


def slow_down(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", NETWORK)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": PROCESSOR})


def timed(page: Page, url: str, times: int) -> tuple[list[Came], list[Came]]:
    """With nothing in the cache, and with what the page before it had."""
    fresh, again = [], []
    for _ in range(times):
        forget(page)
        fresh.append(came(page, url))
        again.append(came(page, url))
    return fresh, again


def forget(page: Page) -> None:
    """Empty the cache; cookies stay."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.clearBrowserCache")
    devtools.detach()


def came(page: Page, url: str) -> Came:
    """Ask for a page and wait until nothing more comes; ends the program when it is not there."""
    reply = page.goto(url, wait_until="networkidle")
    if reply is None or reply.status != 200:
        sys.exit(f"{url} was answered {reply and reply.status}")
    return Came(**page.evaluate(MEASURE))


def shown(who: str, path: str, fresh: list[Came], again: list[Came]) -> dict[str, Any]:
    """Prints a line of the table, and gives all figures."""

    def middle(name: str, of: list[Came]) -> float:
        return float(statistics.median(getattr(one, name) for one in of))

    shift = max(one.shift for one in (*fresh, *again))
    line = f"{f'{path} of {who}':<22}{middle('first_paint_ms', fresh):>7,.0f} ms"
    for of in (fresh, again):
        line += f"{middle('largest_paint_ms', of):>7,.0f} ms{middle('bytes', of) / 1024:>7.1f}"
    print(f"{line}{middle('requests', fresh):>10.0f}{shift:>8.3f}", flush=True)
    return {"page": path, "who": who, "fresh": [*map(asdict, fresh)], "again": [*map(asdict, again)]}


if __name__ == "__main__":
    main()
