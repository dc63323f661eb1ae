"""What the client is delivered as."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """`folder` has the package's files, and the packages that its tests need; `files` are what the service serves."""

    folder: Path
    files: Mapping[str, bytes]
