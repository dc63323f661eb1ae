"""Style sheet and scripts: read once, named after their content, and cached by browsers for ever."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Asset(msgspec.Struct, frozen=True):
    """`address` is the name with a digest of the content in it."""

    address: str
    kind: str
    content: bytes


class Assets:
    """Every file of the folder, by its own name and by its address."""

    def __init__(self, folder: Path) -> None:
        self.by_name: Mapping[str, Asset] = {
            path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in KINDS
        }
        self.by_address = {asset.address: asset for asset in self.by_name.values()}


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(f"{path.stem}.{digest}{path.suffix}", KINDS[path.suffix], content)


class AssetsState(TypedDict):
    assets: Assets


async def static(request: Request[AssetsState]) -> Response:
    asset = request.state["assets"].by_address.get(request.path_params["name"])
    if asset is None:
        raise Problem("not_found", "There is nothing at this address.")
    headers = {"cache-control": "public, max-age=31536000, immutable", "content-type": asset.kind}
    return Response(asset.content, headers=headers)
