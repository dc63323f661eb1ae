"""The hooks in React itself: in strict mode in a browser, and where a server renders."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import expect
from support.browser_visits import CALL, Elsewhere, Visit
from support.client_package import Package
from support.services import Service, Start, Vendors

from tools.npm import BIN, npm

pytest_plugins = ["support.chromium", "support.built_client"]
SHOP = Path(__file__).parent / "types" / "shop.tsx"
IN_BROWSER = """
import { StrictMode, createElement } from "react";
import { createRoot } from "react-dom/client";
import { createLoyalty } from "@loyalty/client";
import { App } from "./shop.tsx";
window.wire = [];
const client = createLoyalty({ baseUrl: given.url, fetch: (url, init) => {
  wire.push(`${init.method} ${new URL(url).pathname}`);
  return fetch(url, init);
} });
document.body.append(Object.assign(document.createElement("div"), { id: "root" }));
createRoot(document.getElementById("root")).render(createElement(StrictMode, null, createElement(App, { client })));
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
    expect(visit.page.locator("#balance")).to_have_text("1240 points")
    assert visit.run("wire.filter((call) => call === 'GET /api/v1/me').length") <= 4
    visit.page.get_by_role("button").dblclick()
    expect(visit.page.locator("#balance")).to_have_text("740 points")
    (redemption,) = vendors.member("ella")["redemptions"]
    expect(visit.page.locator("#outcome")).to_have_text(redemption["code"])
    assert visit.run("wire.filter((call) => call.startsWith('POST'))") == ["POST /api/v1/me/redemptions"]
    assert visit.complaints == []


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
