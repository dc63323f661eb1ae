"""The client as it is delivered: built of the sources that are here, small, typed, and named by its content."""

import base64
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.client_package import Package
from support.services import ROOT, Service, Start
from support.snippets import to_run

from bff.settings.read import read_settings
from bff.web.assets import EARLIER, SHARED, Assets, address_of
from tools.client import SOURCE, STATIC, deliver, rows
from tools.npm import npm

pytest_plugins = ["support.built_client"]
BUDGETS = {"client.js": 3 * 1024, "hooks.js": 1536, "elements.js": 7 * 1024}
TYPES = Path(__file__).parent / "types"


def test_what_is_served_is_built_of_the_sources(package: Package) -> None:
    assert set(package.files) == set(SHARED)
    stale = [name for name, content in package.files.items() if (STATIC / name).read_bytes() != content]
    assert stale == [], "run `make client`"


@pytest.mark.parametrize("name", [name for name in SHARED if name.endswith(".js")])
def test_each_module_is_within_its_budget_and_needs_nothing_else(name: str) -> None:
    content = (STATIC / name).read_bytes()
    assert len(gzip.compress(content, mtime=0)) <= BUDGETS[name]
    imported = set(re.findall(rb'(?:from|import\()"([^"]+)"', content))
    assert imported <= {f"./{address_of('client.js', (STATIC / 'client.js').read_bytes())}".encode(), b"react"}


def test_its_integrity_and_address_are_documented(service: Service) -> None:
    files = {name: (STATIC / name).read_bytes() for name in SHARED}
    page = (ROOT / "docs" / "client.md").read_text("utf-8")
    assert rows(files) in page, "run `make client`"
    for address, _, integrity in re.findall(r"^\| `(/static/\S+)` \| `(\S+)` \| `sha384-(\S+)` \|$", page, re.M):
        reply = service.shopper().request("GET", address)
        assert base64.b64encode(hashlib.sha384(reply.content).digest()).decode() == integrity


def test_packages_are_pinned_without_the_address_of_a_registry() -> None:
    package = json.loads((SOURCE / "package.json").read_text("utf-8"))
    assert "dependencies" not in package
    assert [pin for pin in package["devDependencies"].values() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)] == []
    lock = (SOURCE / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_the_package_is_there_packed_and_unpacked_and_an_older_one_is_not(package: Package, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    for old in (tmp_path / "loyalty-client-0.0.9.tgz", tmp_path / "package" / "gone.js"):
        old.touch()
    deliver(package.folder, tmp_path)
    unpacked = tmp_path / "package"
    exports = json.loads((unpacked / "package.json").read_text("utf-8"))["exports"]
    for entry in exports.values():
        assert [name for name in entry.values() if not (unpacked / name).is_file()] == []
    assert not (unpacked / "gone.js").exists()
    assert [archive.name for archive in tmp_path.glob("*.tgz")] == ["loyalty-client-0.1.0.tgz"]


# Types ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def storefront(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storefront's project with the package as npm installs it, and nothing of its sources."""
    project, made = tmp_path_factory.mktemp("storefront"), package.folder
    deliver(made, project)
    modules = project / "node_modules"
    (modules / "@loyalty").mkdir(parents=True)
    (project / "package").rename(modules / "@loyalty" / "client")
    for other in ("typescript", "react", "@types", "csstype"):
        (modules / other).symlink_to((made / "node_modules" / other).resolve())
    return project


@pytest.fixture(scope="module")
def said(storefront: Path, package: Package) -> Mapping[str, set[int]]:
    """The lines that a strict compiler has something against, by file: those kept here, and the documented ones."""
    shutil.copytree(TYPES, storefront, dirs_exist_ok=True)
    blocks = [f"export function shop{block.line}() {{\n{block.text}}}\n" for block in to_run("docs/client.md", "ts")]
    assert len(blocks) == 3
    around = (TYPES / "surroundings.ts").read_text("utf-8")
    (storefront / "documented.ts").write_text(around + "".join(blocks), "utf-8")
    (component,) = to_run("docs/client.md", "tsx")
    (storefront / "component.tsx").write_text(component.text, "utf-8")
    output = npm(package.folder, "exec", "--", "tsc", "--project", str(storefront)).stdout
    found = re.findall(r"(\w+\.tsx?)\((\d+),", output)
    assert found, output
    return {name: {int(line) for other, line in found if other == name} for name, _ in found}


@pytest.mark.xdist_group("client-types")
def test_code_of_a_storefront_compiles_against_the_package(said: Mapping[str, set[int]]) -> None:
    """With it the documented servers. The file of mistakes shows that something was compiled."""
    assert set(said) == {"mistakes.ts"}


@pytest.mark.xdist_group("client-types")
def test_mistakes_are_told_by_the_compiler(said: Mapping[str, set[int]]) -> None:
    """Every line that says that it is wrong, and no other."""
    text = (TYPES / "mistakes.ts").read_text("utf-8").splitlines()
    wrong = {number for number, line in enumerate(text, 1) if line.endswith("// wrong")}
    assert said["mistakes.ts"] == wrong
    assert len(wrong) > 5


# Serving --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["", "/loyalty"])
@pytest.mark.parametrize("name", SHARED)
def test_pages_of_every_origin_may_load_it_and_keep_it_for_ever(start: Start, base: str, name: str) -> None:
    shopper, headers = start(BASE_PATH=base).shopper(), {"origin": "https://anywhere.example"}
    short, page = (
        shopper.request("GET", f"{base}/{name}", headers=headers),
        shopper.get(f"{base}/{name}", headers=headers),
    )
    assert (short.status_code, short.headers["cache-control"]) == (302, "public, max-age=300")
    assert page.path == f"{base}/static/{address_of(name, (STATIC / name).read_bytes())}"
    assert page.reply.content == (STATIC / name).read_bytes()
    assert page.reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    kind = "text/javascript" if name.endswith(".js") else "application/typescript"
    assert page.reply.headers["content-type"] == f"{kind}; charset=utf-8"
    for reply in (short, page.reply):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "set-cookie" not in reply.headers


def test_what_is_ours_alone_stays_so(service: Service) -> None:
    address = address_of("loyalty.js", (STATIC / "loyalty.js").read_bytes())
    reply = service.shopper().request("GET", f"/static/{address}")
    assert reply.status_code == 200
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in reply.headers


def test_a_module_of_an_earlier_release_is_found_where_it_was(settings: dict[str, str], tmp_path: Path) -> None:
    """A page names it by its integrity, and shall work on after the service was brought up to date."""
    shutil.copytree(STATIC, tmp_path, dirs_exist_ok=True)
    (tmp_path / EARLIER).mkdir()
    (tmp_path / EARLIER / "client.0123456789ab.js").write_bytes(b"export const old = 1;")
    found = Assets(tmp_path, read_settings(settings)).by_address["client.0123456789ab.js"]
    assert (found.content.accepted("")[1], found.is_shared) == (b"export const old = 1;", True)
