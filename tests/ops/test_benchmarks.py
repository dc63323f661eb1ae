"""The programs that measure start everything and write what they found. What the figures are is not looked at."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def measured(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", f"benchmarks.{program}", "--smoke", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)  # noqa: S603  # Written here.


def figures_of(program: str, folder: Path, *arguments: str) -> Any:
    """What it has written, and what it has printed as `said`."""
    found = folder / "figures.json"
    done = measured(program, "--json", str(found), *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(found.read_text()) | {"said": done.stdout}


if sys.platform == "linux":

    def test_the_comparison_measures_the_service_and_its_bare_server(tmp_path: Path) -> None:
        found = figures_of("compare", tmp_path, "--only", "GET /me/rewards")
        assert [(cost["server"], cost["row"]) for cost in found["costs"]] == [
            ("bare", "an answer of the bare server"),
            ("service", "GET /me/rewards"),
        ]
        for cost in found["costs"]:
            assert cost["answers"] > 0
            assert cost["cpu_us"] > 0
        assert "x bare" in found["said"]

    def test_growth_is_measured_with_few_sessions_and_with_many(tmp_path: Path) -> None:
        found = figures_of("growth", tmp_path, "--only", "sessions")
        assert found["sessions"] == 5000
        assert found["session_bytes"] > 500
        assert [cost["row"] for cost in found["session_costs"]] == ["GET /session", "GET /me"] * 2

    def test_an_overload_shows_who_was_served() -> None:
        done = measured("overload")
        assert done.returncode == 0, done.stderr
        rows = [line.split() for line in done.stdout.splitlines() if line[:11].strip().isdigit()]
        assert [row[0] for row in rows] == ["4", "60", "4"]
        assert all(int(row[1]) > 0 for row in rows)

    @pytest.mark.browser
    def test_a_phone_shows_when_a_page_is_there_and_what_it_weighs(tmp_path: Path) -> None:
        (page,) = figures_of("phone", tmp_path)["pages"]
        for came in (*page["fresh"], *page["again"]):
            assert came["largest_paint_ms"] > 0
            assert came["bytes"] > 5000
        assert page["fresh"][0]["requests"] > page["again"][0]["requests"]

else:

    def test_elsewhere_they_say_in_one_line_what_they_need() -> None:
        for program in ("compare", "growth", "hosts"):
            assert measured(program).stderr.startswith("This needs Linux")
