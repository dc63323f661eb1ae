"""Style sheet, scripts and pictures: made once, named after their content, and cached by browsers for ever.

What storefronts load into pages of their own has a short address besides, which leads to the newest.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TypedDict

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff.errors import Problem
from bff.program.encodings import Coding, Encodings
from bff.settings.settings import Settings
from bff.web.look import files_of
from bff.web.repeatable import REPEATABLE

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ts": "application/typescript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff2": "font/woff2",
}
# Modules for pages of any origin, and where those of earlier releases are: a page may have named one by its integrity.
SHARED = ("client.js", "client.d.ts", "hooks.js", "elements.js")
EARLIER = "earlier"
FOR_EVERYBODY = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
NEWEST_SECONDS = 300


class Asset(msgspec.Struct, frozen=True):
    """`address` is the name with a digest of the content in it; what `is_shared` may be loaded by every page."""

    address: str
    kind: str
    content: Encodings
    is_shared: bool = False


class Assets:
    """Every file of the folder and of the theme, by its own name and by its address."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.by_name: Mapping[str, Asset] = {
            name: Asset(address_of(name, content), _kind(name), Encodings(content), is_shared=name in SHARED)
            for name, content in files_of(settings, folder, address_of).items()
        }
        earlier = {path.name: path.read_bytes() for path in (folder / EARLIER).glob("*")}
        self.by_address = {
            name: Asset(name, _kind(name), Encodings(content), is_shared=True) for name, content in earlier.items()
        } | {asset.address: asset for asset in self.by_name.values()}


def address_of(name: str, content: bytes) -> str:
    suffix = ".d.ts" if name.endswith(".d.ts") else PurePath(name).suffix
    return f"{name.removesuffix(suffix)}.{hashlib.sha256(content).hexdigest()[:12]}{suffix}"


def _kind(name: str) -> str:
    return KINDS[PurePath(name).suffix]


class AssetsState(TypedDict):
    assets: Assets


async def static(request: Request[AssetsState]) -> Response:
    asset = request.state["assets"].by_address.get(request.path_params["name"])
    if asset is None:
        raise Problem("not_found", "There is nothing at this address.")
    request.scope["repeatable"] = REPEATABLE
    coding, content = asset.content.accepted(request.headers.get("accept-encoding", ""))
    headers = {"cache-control": "public, max-age=31536000, immutable", "content-type": asset.kind}
    shared = FOR_EVERYBODY if asset.is_shared else {}
    return Response(content, headers={**headers, "vary": "Accept-Encoding", **coded(coding), **shared})


async def newest(request: Request[AssetsState]) -> Response:
    """A module by its short address. It leads on, so that what it imports is found beside it."""
    asset = request.state["assets"].by_name[PurePath(request.scope["path"]).name]
    request.scope["repeatable"] = REPEATABLE
    headers = {"cache-control": f"public, max-age={NEWEST_SECONDS}", **FOR_EVERYBODY}
    return RedirectResponse(f"static/{asset.address}", 302, headers)


def coded(coding: Coding) -> dict[str, str]:
    """The field that names the coding of a body, if it has one."""
    return {} if coding == "identity" else {"content-encoding": coding}
