"""What a storefront's developer copies out of README.md and docs/storefront.md works in a browser, as it stands."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page
from support.browser_visits import Browse, Elsewhere, Visit
from support.concurrency import until
from support.services import Service, Start, Vendors, Work
from support.snippets import Block, by_bash, to_run

from bff.devstack.stack import free_port
from bff.settings.published import OF_A_STOREFRONT

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
GUIDE = "docs/storefront.md"
REWARD = "$5 off your order"
# In the guide's words: set them where yours are others.
SERVICE, SANDBOX, STOREFRONT = "http://localhost:8000", "http://localhost:8001", "http://localhost:3000"


def answering(page: Page, *, accept: bool) -> list[str]:
    """Answer every question of this page alike; what was asked."""
    asked = list[str]()

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept() if accept else dialog.dismiss()

    page.on("dialog", answer)
    return asked


@pytest.fixture
def shop_port() -> int:
    return free_port()


@pytest.fixture
def service(start: Start, neighbour: Elsewhere, shop_port: int) -> Service:
    """It lets in the neighbouring origin, and the guide's storefront."""
    origins = f"{neighbour.origin},http://localhost:{shop_port}"
    return start(STOREFRONT_ORIGINS=origins, SESSION_TICKETS_TOKEN=OF_A_STOREFRONT)


# README --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def readme(service: Service, vendors: Vendors) -> str:
    """The script, with this service's address and a token of ella's."""
    (block,) = to_run("README.md", "js")
    script = block.text.replace("https://loyalty.example.com", service.url)
    assert script != block.text
    token = json.dumps(vendors.token("ella"))
    return f"async () => {{ const customerAccessToken = {token};\n{script}\n}}"


def test_the_readme_redeems_one_reward_that_is_ready_after_asking(
    browse: Browse, readme: str, neighbour: Elsewhere, vendors: Vendors
) -> None:
    visit = browse()
    neighbour.open(visit)
    asked = answering(visit.page, accept=True)
    visit.run(readme)
    (redemption,) = vendors.member("ella")["redemptions"]
    assert asked == [f"Spend 500 points on {REWARD}?", redemption["code"]]
    assert visit.run("localStorage.length") == 0, "the intent has ended, so the next one has a key of its own"


def test_the_readme_spends_nothing_unless_the_shopper_agrees(
    browse: Browse, readme: str, neighbour: Elsewhere, vendors: Vendors
) -> None:
    visit = browse()
    neighbour.open(visit)
    answering(visit.page, accept=False)
    visit.run(readme)
    assert vendors.member("ella")["redemptions"] == []
    assert vendors.calls("redeem") == []


def test_the_readme_waits_for_an_answer_that_was_lost_and_sends_nothing_again(
    browse: Browse, readme: str, neighbour: Elsewhere, vendors: Vendors, work: Work
) -> None:
    work()
    vendors.fault("redeem", "cut_after")
    visit = browse()
    neighbour.open(visit)
    asked = answering(visit.page, accept=True)
    visit.run(readme)
    (redemption,) = vendors.member("ella")["redemptions"]
    assert asked[-1] == redemption["code"]
    assert len(vendors.calls("redeem")) == 1


# The guide -----------------------------------------------------------------------------------------------------------


@dataclass
class Desk:
    """Where somebody follows the guide: their folder, the addresses that are theirs, and what is set in their shell."""

    folder: Path
    storefront: str
    addresses: dict[str, str]
    shell: str = ""

    def as_theirs(self, block: Block) -> Block:
        text = block.text
        for told, theirs in self.addresses.items():
            text = text.replace(told, theirs)
        return Block(block.document, block.line, block.language, text)

    def run(self, block: Block) -> str:
        return by_bash(self.as_theirs(block), self.folder, self.shell)


@pytest.fixture
def desk(service: Service, vendors: Vendors, shop_port: int, tmp_path: Path) -> Desk:
    """With the page and its script saved."""
    storefront = f"http://localhost:{shop_port}"
    addresses = {SERVICE: service.url, SANDBOX: vendors.url, STOREFRONT: storefront}
    desk = Desk(tmp_path, storefront, addresses | {"http.server 3000": f"http.server {shop_port}"})
    (html,) = to_run(GUIDE, "html")
    (tmp_path / "index.html").write_text(html.text, "utf-8")
    (tmp_path / "loyalty.js").write_text("".join(desk.as_theirs(one).text for one in to_run(GUIDE, "js")), "utf-8")
    return desk


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[[Block], None]]:
    """Runs a block that serves the folder, until the test ends."""
    processes = list[subprocess.Popen[bytes]]()

    def serve(block: Block) -> None:
        command = block.text.split()
        assert command[:3] == ["python3", "-m", "http.server"]
        where = [sys.executable, *command[1:], "--bind", "127.0.0.1"]
        processes.append(subprocess.Popen(where, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))  # noqa: S603
        until(lambda: answers(int(command[3])))

    yield serve
    for process in processes:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_guide_leads_from_nothing_to_a_coupon(
    desk: Desk, vendors: Vendors, work: Work, browse: Browse, serving: Callable[[Block], None]
) -> None:
    """Every block of it in its order, by a stranger who has only that page."""
    assert shutil.which("curl"), "the guide says that it is needed"
    settings, program, server, ticket, fault, french = to_run(GUIDE, "sh")
    desk.shell = desk.as_theirs(settings).text
    assert {*json.loads(desk.run(program))} == {"earningRules", "rewards", "tiers"}
    serving(desk.as_theirs(server))

    # A ticket of the server's.
    ella = browse()
    asked = answering(ella.page, accept=True)
    ella.page.goto(desk.run(ticket).strip())
    ella.page.wait_for_url(f"{desk.storefront}/**")
    assert says(ella, "state") == "enrolled"
    assert says(ella, "balance") == "1240 points"
    redeem(ella)
    until(lambda: bool(vendors.member("ella")["redemptions"]))
    code = vendors.member("ella")["redemptions"][0]["code"]
    until(lambda: code in ella.page.locator("#outcome").inner_text())
    assert asked == [f"Spend 500 points on {REWARD}?"]
    until(lambda: "It is in your cart. To pay: 79.00 USD" in ella.page.locator("#outcome").inner_text())

    # The sandbox loses an answer, and the worker finds out.
    work()
    desk.run(fault)
    redeem(ella)
    until(lambda: len(vendors.member("ella")["redemptions"]) == 2)
    assert vendors.member("ella")["redemptions"][1]["code"] != code
    until(lambda: vendors.member("ella")["redemptions"][1]["code"] in ella.page.locator("#outcome").inner_text())
    # The answer came later, and the code is in the cart beside the first one.
    until(lambda: "To pay: 74.00 USD" in ella.page.locator("#outcome").inner_text())
    assert len(vendors.calls("redeem")) == 2
    assert ella.run("localStorage.length") == 0

    assert "livraison gratuite" in desk.run(french).lower()
    assert "content-language: fr" in desk.run(french).lower()


def test_somebody_who_has_not_joined_does_so_with_the_guides_page(
    desk: Desk, vendors: Vendors, browse: Browse, serving: Callable[[Block], None]
) -> None:
    serving(desk.as_theirs(to_run(GUIDE, "sh")[2]))
    penny = browse()
    penny.page.goto(desk.storefront)
    penny.follow("Sign in")
    penny.page.locator("input[name=persona][value=penny]").check()
    penny.press("Sign in")
    penny.page.wait_for_url(f"{desk.storefront}/**")
    button = penny.page.get_by_role("button", name="Accept terms & join")
    button.wait_for()
    # The words change while they are read: they are shown again, and nothing was agreed to.
    vendors.control("policies", version="2026-01-01")
    button.click()
    until(lambda: "terms have changed" in penny.page.locator("#outcome").inner_text())
    assert vendors.member("penny")["enrolments"] == []
    button.click()
    until(lambda: says(penny, "state") == "enrolled")
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] == ["2026-01-01"]


def says(visit: Visit, part: str) -> str:
    visit.page.wait_for_function(f"document.getElementById('{part}').textContent")
    return visit.page.locator(f"#{part}").inner_text()


def redeem(visit: Visit) -> None:
    visit.page.get_by_role("button", name=f"Redeem {REWARD}").click()
