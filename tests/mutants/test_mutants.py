"""Defences are taken away one at a time, and the tests that are named for each must notice.

docs/testing.md says how to add a mutant; tests/support/breadth.py says how many of them are tried.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from support.breadth import MUTANTS

ROOT = Path(__file__).parents[2]
# What git, tools and virtual environments keep, which no test that is named for a mutant reads; and what Python is just
# writing and renames in a moment.
LEFT_OUT = shutil.ignore_patterns(".*", "*.pyc.*", "node_modules")
KEPT = {"PATH", "HOME", "CHROMIUM", "PGBOUNCER"}
# Plugins that nobody needs there take a second each time; xdist declares a mark.
QUIETLY = ("-x", "-q", "--tb=short", "-p", "no:cacheprovider", "-p", "xdist")
SECONDS = 240
AT_ONCE = 2
FAILED = pytest.ExitCode.TESTS_FAILED


class Mutant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`name` says which defence is missing when `before`, which stands in `file` once, has become `after`. One of
    `tests`, node ids of pytest, fails then. `survives` says why no test can tell, and then none is run."""

    name: str
    file: str
    before: str
    after: str
    tests: list[str] = []
    survives: str | None = None


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of mutants."""

    mutant: list[Mutant]


ALL = [
    mutant
    for file in sorted(Path(__file__).parent.glob("*.toml"))
    for mutant in msgspec.toml.decode(file.read_bytes(), type=Area).mutant
]
NOTICED = [mutant for mutant in ALL if mutant.survives is None]
# The first of each stretch, so that fewer of them are of all areas.
TRIED = NOTICED[:: -(-len(NOTICED) // MUTANTS)]


def mutated(mutant: Mutant, root: Path) -> str:
    """The text of the file below `root` without the defence."""
    text = (root / mutant.file).read_text("utf-8")
    assert text.count(mutant.before) == 1, f"{mutant.name}: `before` stands {text.count(mutant.before)} times there"
    return text.replace(mutant.before, mutant.after)


def verdict(mutant: Mutant) -> "subprocess.CompletedProcess[str]":
    """What pytest says of the mutant's tests in a copy of everything here that has this change.

    That they pass without it is what `make test` says. Raises TimeoutExpired when they do not end: a mutant that makes
    them wait for ever is not known to be noticed.
    """
    with TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        (tree / mutant.file).write_text(mutated(mutant, tree), "utf-8")
        environ = {name: value for name, value in os.environ.items() if name in KEPT}
        environ |= {"TMPDIR": folder, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(  # noqa: S603  # The command is written here.
            [sys.executable, "-m", "pytest", *QUIETLY, *mutant.tests],
            cwd=tree, env=environ, timeout=SECONDS, text=True, capture_output=True, check=False,
        )  # fmt: skip


def is_noticed(said: "subprocess.CompletedProcess[str]") -> bool:
    """Whether a test itself failed: a fixture that fails says that the mutant does not even start."""
    return said.returncode == FAILED and re.search(r"^FAILED tests/", said.stdout, re.MULTILINE) is not None


@pytest.mark.broad
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, id=mutant.name, marks=pytest.mark.xdist_group(f"mutants {number % AT_ONCE}"))
        for number, mutant in enumerate(TRIED)
    ],
)
def test_P14_a_defence_that_is_missing_is_noticed(mutant: Mutant) -> None:
    said = verdict(mutant)
    assert is_noticed(said), f"survived: {mutant.name}\n{said.stdout[-3000:]}{said.stderr[-1000:]}"


def test_a_change_that_takes_no_defence_away_is_not_noticed() -> None:
    """Else tests that fail in the copy for whatever reason would seem to notice everything."""
    harmless = Mutant(
        name="a comment", file="bff/awards/counting.py", before='CENT = Decimal("0.01")\n',
        after='CENT = Decimal("0.01")  # One.\n',
        tests=["tests/awards/test_payments.py::test_linking_an_account_is_paid_by_a_fixed_rule"],
    )  # fmt: skip
    said = verdict(harmless)
    assert (said.returncode, is_noticed(said)) == (pytest.ExitCode.OK, False), said.stdout


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_a_mutant_still_applies(mutant: Mutant) -> None:
    """It changes what it names, into something that can be read, and its tests are there."""
    changed = mutated(mutant, ROOT)
    assert mutant.before != mutant.after
    if mutant.file.endswith(".py"):
        ast.parse(changed)
    assert bool(mutant.tests) is (mutant.survives is None), "give tests, or why it survives"
    for node in mutant.tests:
        file, _, test = node.partition("::")
        named = rf"^(async )?def {test.partition('[')[0] or 'test_'}"
        assert re.search(named, (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_each_mutant_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(mutant.name for mutant in ALL).items() if count > 1] == []
