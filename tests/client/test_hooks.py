"""The hooks in React itself: in strict mode in a browser, and where a server renders."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import expect
from support.browser_visits import CALL, Elsewhere, Visit
from support.client_package import Package
from support.concurrency import until
from support.services import Service, Start, Vendors

from tools.npm import BIN, npm

pytest_plugins = ["support.chromium", "support.built_client"]
SHOP = Path(__file__).parent / "types" / "shop.tsx"
IN_BROWSER = """
import { StrictMode, createElement } from "react";
import { createRoot } from "react-dom/client";
import { createLoyalty } from "@loyalty/client";
import { LoyaltyProvider } from "@loyalty/client/react";
import { App, Join } from "./shop.tsx";
window.wire = [];
window.client = createLoyalty({ baseUrl: given.url, fetch: (url, init) => {
  wire.push(`${init.method} ${new URL(url).pathname}`);
  return fetch(url, init);
} });
document.body.append(Object.assign(document.createElement("div"), { id: "root" }));
const root = createRoot(document.getElementById("root"));
const shown = { App, Join: ({ client }) => createElement(LoyaltyProvider, { client }, createElement(Join)) };
window.show = (name, initial) =>
  root.render(createElement(StrictMode, null, createElement(shown[name], { client, initial })));
"""
ON_SERVER = """
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createLoyalty } from "@loyalty/client";
import { App } from "./shop.tsx";
const client = createLoyalty({ baseUrl: "https://loyalty.example.com", fetch: () => { throw new Error("asked"); } });
const initial = { state: "enrolled", points: { balance: 77 } };
console.log(renderToString(createElement(App, { client })) + renderToString(createElement(App, { client, initial })));
"""


def bundled(package: Package, script: str, *options: str) -> str:
    """The script as a bundler makes it, for whom the package is like any other. Several tests share its folder,
    so each has a place of its own in it."""
    with TemporaryDirectory(dir=package.folder) as place:
        (Path(place) / "shop.tsx").write_text(SHOP.read_text("utf-8"), "utf-8")
        (Path(place) / "script.js").write_text(script, "utf-8")
        entry = f"{Path(place).name}/script.js"
        done = npm(package.folder, "exec", "--", "esbuild", entry, "--bundle", "--jsx=automatic", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def service(start: Start, neighbour: Elsewhere) -> Service:
    return start(STOREFRONT_ORIGINS=neighbour.origin)


@pytest.mark.browser
def test_in_strict_mode_it_reads_redeems_once_and_reads_again(
    visit: Visit, neighbour: Elsewhere, vendors: Vendors, package: Package
) -> None:
    script = bundled(package, IN_BROWSER, '--define:process.env.NODE_ENV="development"')
    neighbour.open(visit)
    visit.run(CALL, [f"{visit.url}/api/v1/session", "POST", {"customerAccessToken": vendors.token("ella")}, {}])
    visit.run(f"(given) => {{ {script} }}", {"url": visit.url})
    visit.run("show('App')")
    expect(visit.page.locator("#balance")).to_have_text("1240 points")
    assert visit.run("wire.filter((call) => call === 'GET /api/v1/me').length") <= 4
    visit.page.get_by_role("button").dblclick()
    expect(visit.page.locator("#balance")).to_have_text("740 points")
    (redemption,) = vendors.member("ella")["redemptions"]
    expect(visit.page.locator("#outcome")).to_have_text(redemption["code"])
    assert visit.run("wire.filter((call) => call.startsWith('POST'))") == ["POST /api/v1/me/redemptions"]
    assert visit.complaints == []


@pytest.fixture
def shop(visit: Visit, neighbour: Elsewhere, vendors: Vendors, package: Package) -> Callable[[str | None], Visit]:
    """Opens the storefront's page, as somebody or as a stranger; `show` shows a component there."""

    def opener(persona: str | None = None) -> Visit:
        neighbour.open(visit)
        if persona:
            token = {"customerAccessToken": vendors.token(persona)}
            visit.run(CALL, [f"{visit.url}/api/v1/session", "POST", token, {}])
        script = bundled(package, IN_BROWSER, '--define:process.env.NODE_ENV="development"')
        visit.run(f"(given) => {{ {script} }}", {"url": visit.url})
        return visit

    return opener


@pytest.mark.browser
def test_who_has_signed_out_leaves_nothing_behind(shop: Callable[[str], Visit]) -> None:
    visit = shop("ella")
    visit.run("show('App')")
    visit.page.get_by_role("button").click()
    expect(visit.page.locator("#outcome")).not_to_have_text("")
    expect(visit.page.locator("#balance")).to_have_text("740 points")
    visit.run("client.signOut()")
    expect(visit.page.locator("#balance")).to_have_text("session_required")
    expect(visit.page.locator("#outcome")).to_have_text("")


@pytest.mark.browser
def test_what_the_server_reads_later_is_taken_over(shop: Callable[[], Visit]) -> None:
    visit = shop()
    for balance in (77, 78):
        visit.run("(balance) => show('App', { state: 'enrolled', points: { balance } })", balance)
        expect(visit.page.locator("#balance")).to_have_text(f"{balance} points")
    until(lambda: "GET /api/v1/program" in visit.run("wire"))
    assert "GET /api/v1/me" not in visit.run("wire")


@pytest.mark.browser
def test_the_words_that_are_agreed_to_stay_meanwhile(shop: Callable[[str], Visit], vendors: Vendors) -> None:
    visit = shop("penny")
    visit.run("show('Join')")
    button, version = visit.page.get_by_role("button"), visit.page.locator("#version")
    expect(version).to_be_visible()
    vendors.control("policies", version="2027-01-01")
    button.click()
    expect(visit.page.locator("#joined")).to_have_text("policies_outdated")
    expect(version).to_have_text("2027-01-01")
    visit.run("""() => {
      window.seen = [];
      const look = () => seen.push(document.querySelector("#version").textContent);
      const all = { subtree: true, childList: true, characterData: true, attributes: true };
      new MutationObserver(look).observe(document.body, all);
    }""")
    button.click()
    expect(visit.page.locator("#joined")).to_have_text("Welcome")
    assert set(visit.run("seen")) == {"2027-01-01"}
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] == ["2027-01-01"]


def test_a_server_renders_what_it_knows_and_asks_nothing(package: Package, tmp_path: Path) -> None:
    script = bundled(package, ON_SERVER, "--platform=node", '--define:process.env.NODE_ENV="production"')
    (tmp_path / "rendering.cjs").write_text(script, "utf-8")
    command = [str(BIN / "node"), "rendering.cjs"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert "77 points" in done.stdout


def test_what_is_not_used_is_left_out(package: Package) -> None:
    options = ("--external:react", "--format=esm", "--minify")
    everything = bundled(package, 'export * from "@loyalty/client/react";', *options)
    one = bundled(package, 'export { useSession } from "@loyalty/client/react";', *options)
    assert len(one) < len(everything) * 0.7
