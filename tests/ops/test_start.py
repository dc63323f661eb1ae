"""A process starts soon: it loads what it needs, and no more."""

import subprocess
import sys

import pytest
from publicsuffixlist import PSLFILE, PublicSuffixList
from support.services import ROOT

from bff.settings.sites import registrable_domain

OF_OTHERS = ("procrastinate", "alembic", "bff.worker", "bff.sandbox", "bff.devstack", "bff.ops.doctor")
LOADED = "import sys, bff.app; print(*sys.modules)"
ALL_RULES = PublicSuffixList()


def test_P6_a_web_process_loads_nothing_that_only_others_need() -> None:
    command = [sys.executable, "-c", LOADED]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603  # Ours.
    assert "bff.app" in loaded
    assert [name for name in loaded if name.startswith(OF_OTHERS)] == []


@pytest.mark.parametrize("top", ["com", "uk", "jp", "ck", "io", "app", "no", "рф", "xn--p1ai", "nobodys-domain"])
def test_the_rules_of_one_top_level_domain_say_what_all_rules_say(top: str) -> None:
    with open(PSLFILE, encoding="utf-8") as file:
        rules = [line.split()[0] for line in file if line.strip() and not line.startswith("//")]
    below = [rule.lstrip("!*.") for rule in rules if rule.rpartition(".")[2] == top][:200] or [top]
    names = [f"{labels}{rule}" for rule in below for labels in ("", "a.", "b.a.", "C.b.a.")]
    assert len(names) >= 4
    for name in names:
        assert registrable_domain(name) == ALL_RULES.privatesuffix(name), name
