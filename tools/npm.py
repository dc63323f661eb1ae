"""npm, with the Node that comes as a wheel with the other tools."""

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
QUIET = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
# A connection that stalls is given up long before npm itself is.
IMPATIENT = ("--fetch-timeout=30000", "--fetch-retry-mintimeout=1000")


def npm(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What npm says and how it ends, in this folder."""
    surroundings = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "NODE_DISABLE_COMPILE_CACHE": "1",
        # As uv and pip do: a network may have an authority of its own, which Node does not know by itself.
        "NODE_USE_SYSTEM_CA": "1",
        "TMPDIR": str(folder),
    }
    command = [str(BIN / "npm"), *QUIET, *IMPATIENT, *arguments]
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=300)  # noqa: S603  # Ours.
