"""The storefront's client: `make client` builds it into static/ and as a package, and writes down its integrity."""

import base64
import fcntl
import hashlib
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from bff.web.assets import SHARED, address_of
from tools.npm import npm

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "client"
STATIC = ROOT / "static"
DOCUMENT = ROOT / "docs" / "openapi.json"
PAGE = ROOT / "docs" / "client.md"
# Where packages are installed once, and where the package is put: packed, and unpacked for the examples.
BUILDS = ROOT / ".run" / "client"
NOT_SOURCE = shutil.ignore_patterns("node_modules", "dist", "openapi.ts")
ROW = re.compile(r"^\| `/static/(\S+)` \| `/(\S+)` \| `(sha384-\S+)` \|$", re.M)


class BuildFailedError(Exception):
    """What a tool had to say."""


def packages() -> Path:
    """Those of the lock file, installed once; whoever comes meanwhile waits."""
    digest = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:12]
    place = BUILDS / digest
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "node_modules" / ".package-lock.json").is_file():
            for given in (SOURCE / "package.json", SOURCE / "package-lock.json"):
                shutil.copy(given, place)
            _done(place, "ci")
    return place / "node_modules"


def build(folder: Path) -> None:
    """Build the sources in this folder, which is made. Raises BuildFailedError."""
    shutil.copytree(SOURCE, folder, ignore=NOT_SOURCE)
    (folder / "node_modules").symlink_to(packages())
    _done(folder, "run", "build", "--", str(DOCUMENT))


def served(folder: Path) -> Mapping[str, bytes]:
    """What of a build is to be served, by name. What imports the client finds it under the address with its digest."""
    files = {name: (folder / "dist" / name).read_bytes() for name in SHARED}
    client = address_of("client.js", files["client.js"]).encode()
    return {name: content.replace(b'"./client.js"', b'"./%b"' % client) for name, content in files.items()}


def deliver(built: Path, place: Path) -> None:
    """Put the package of a build into a folder as npm gets it, and unpacked as `package`. Raises BuildFailedError."""
    for old in place.glob("loyalty-client-*.tgz"):
        old.unlink()
    _done(built, "pack", "--pack-destination", str(place))
    (archive,) = place.glob("loyalty-client-*.tgz")
    shutil.rmtree(place / "package", ignore_errors=True)
    shutil.unpack_archive(archive, place, filter="data")


def _done(folder: Path, *arguments: str) -> None:
    done = npm(folder, *arguments)
    if done.returncode != 0:
        raise BuildFailedError(done.stdout + done.stderr)


def integrity(content: bytes) -> str:
    """As `integrity` of a script has it (Subresource Integrity §3.1)."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def rows(files: Mapping[str, bytes]) -> str:
    """The table of the documentation."""
    scripts = ((name, content) for name, content in files.items() if name.endswith(".js"))
    return "".join(
        f"| `/static/{address_of(name, content)}` | `/{name}` | `{integrity(content)}` |\n" for name, content in scripts
    )


def documented(page: str, files: Mapping[str, bytes]) -> str:
    """The page with the addresses and integrities of these files in place of those it has."""
    for address, name, known in ROW.findall(page):
        page = page.replace(address, address_of(name, files[name])).replace(known, integrity(files[name]))
    return page


def main() -> None:
    folder = BUILDS / "build"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        build(folder)
        deliver(folder, BUILDS)
    except BuildFailedError as failed:
        sys.exit(str(failed))
    files = served(folder)
    for name, content in files.items():
        (STATIC / name).write_bytes(content)
    PAGE.write_text(documented(PAGE.read_text("utf-8"), files), "utf-8")
    print(rows(files), end="")


if __name__ == "__main__":
    main()
