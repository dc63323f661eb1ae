"""What the service is made of, under which licences, and what is known to be wrong with it (checklist N4, N5)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.services import ROOT

from ops.test_requirements import pins

# Whoever adds to this has looked at what the licence asks for. psycopg (LGPL) and publicsuffixlist (MPL) are used as
# libraries and unchanged.
LICENCES = {
    "Apache Software License", "Apache-2.0", "Apache-2.0 AND BSD-2-Clause", "Apache-2.0 AND MIT",
    "Apache-2.0 OR BSD-2-Clause", "Apache-2.0 OR BSD-3-Clause", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "ISC",
    "LGPL-3.0-only", "MIT", "MIT License", "MIT OR Apache-2.0", "MIT-0", "MPL-2.0", "PSF-2.0",
    "Python Software Foundation License", "The Unlicense (Unlicense)",
}  # fmt: skip


def tool(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", f"tools.{name}", *arguments]
    surroundings = os.environ | {"UV_HTTP_RETRIES": "0", "NO_PROXY": "127.0.0.1"}
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # Ours.


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sbom")
    done = tool("sbom", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def bom(made: Path) -> Any:
    return json.loads((made / "bom.cdx.json").read_text())


def test_N5_the_bill_of_materials_lists_exactly_what_is_pinned(bom: Any) -> None:
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    listed = [f"{one['name']}=={one['version']}" for one in bom["components"]]
    assert sorted(listed) == sorted(f"{pin.name}{pin.specifier}" for pin in pins("requirements.txt"))
    assert [one["purl"] for one in bom["components"]] == [f"pkg:pypi/{pin.replace('==', '@')}" for pin in listed]


def test_N5_the_bill_of_materials_tells_who_needs_whom(bom: Any) -> None:
    needs = {entry["ref"].partition("@")[0]: entry["dependsOn"] for entry in bom["dependencies"]}
    assert len(needs["pkg:pypi/loyalty-bff"]) > 15
    assert {one.partition("@")[0] for one in needs["pkg:pypi/starlette"]} >= {"pkg:pypi/anyio"}
    known = {one["purl"] for one in bom["components"]}
    needed = {one for entry in bom["dependencies"] for one in entry["dependsOn"]}
    assert needed == known, "each package is there because something needs it"


def test_N5_every_licence_has_been_looked_at(made: Path, bom: Any) -> None:
    found = [entry for one in bom["components"] for entry in one["licenses"]]
    assert {entry.get("expression") or entry["license"]["name"] for entry in found} <= LICENCES
    absent = [one["name"] for one in bom["components"] if not one["licenses"]]
    assert len(absent) <= 3, absent
    assert len((made / "licences.txt").read_text().splitlines()) == len(bom["components"])


# Known vulnerabilities ----------------------------------------------------------------------------------------------


@contextmanager
def vulnerability_service(vulnerable: str) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Speaks as osv.dev does (https://google.github.io/osv.dev/api/) and knows of one package; what it was asked."""
    asked: list[Mapping[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
            asked.extend(queries)
            known = {"vulns": [{"id": "PYSEC-1", "modified": "2026-01-01T00:00:00Z"}]}
            self.answer({"results": [known if one["package"]["name"] == vulnerable else {} for one in queries]})

        def do_GET(self) -> None:
            self.answer({"id": "PYSEC-1", "modified": "2026-01-01T00:00:00Z", "summary": "A bad one", "affected": []})

        def answer(self, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # Its name is given.
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_N4_what_is_known_to_be_vulnerable_fails_the_audit() -> None:
    with vulnerability_service("jinja2") as (url, asked):
        done = tool("audit", "--service-url", url)
    assert done.returncode == 1
    assert "PYSEC-1: A bad one" in done.stdout
    pinned = {f"{pin.name}{pin.specifier}" for pin in pins("requirements-dev.txt")}
    assert {f"{one['package']['name']}=={one['version']}" for one in asked} == pinned


def test_N4_an_audit_that_finds_nothing_passes() -> None:
    with vulnerability_service("nobody-uses-this") as (url, _):
        done = tool("audit", "--service-url", url)
    assert (done.returncode, "NOT KNOWN" in done.stderr) == (0, False)


def test_N4_an_audit_that_cannot_ask_says_so_and_fails_nothing() -> None:
    done = tool("audit", "--service-url", "http://127.0.0.1:1")
    assert (done.returncode, "it is NOT KNOWN whether there are any" in done.stderr) == (0, True)
