"""Prometheus's own tool, which judges rules."""

import os
import shutil
import subprocess


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """What it said; tests that use it are marked `promtool`."""
    places = (os.environ.get("PROMTOOL", ""), "promtool")
    found = next((path for place in places if place and (path := shutil.which(place))), None)
    assert found, "promtool is needed: apt-get install prometheus, or PROMTOOL=/path/to/it"
    return subprocess.run([found, *arguments], capture_output=True, text=True, timeout=120, check=False)  # noqa: S603  # Ours.
