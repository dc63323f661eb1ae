"""The alert rules, judged by Prometheus's own tool: they are well formed, and each fires for its incident alone."""

import re
import shutil
from pathlib import Path

import pytest
from support.promtool import promtool
from support.services import ROOT

pytestmark = pytest.mark.promtool

FOLDER = ROOT / "deploy" / "prometheus"


def test_the_rules_are_well_formed() -> None:
    done = promtool("check", "rules", str(FOLDER / "rules.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_for_its_incident_and_none_for_a_healthy_service() -> None:
    done = promtool("test", "rules", str(FOLDER / "rules_test.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A clock that is wrong, a dead worker and the very first unreadable answer are noticed by these alone.
        ('{outcome="unverified"}', '{outcome="unheard_of"}'),
        ("loyalty_worker_seen_timestamp_seconds) > 90", "loyalty_worker_seen_timestamp_seconds) > 9000000"),
        ("unless loyalty_unreadable_replies_total offset 15m", "unless loyalty_unreadable_replies_total"),
        # A healthy service would wake somebody.
        ('ratio_rate15m{vendor!="receiver"} > 0.5', 'ratio_rate15m{vendor!="receiver"} > 0.01'),
        (
            '(loyalty_jobs_oldest_seconds{queue!="events"}) > 600',
            '(loyalty_jobs_oldest_seconds{queue!="events"}) > 100',
        ),
        ('(loyalty_jobs_oldest_seconds{queue!="events"}) > 600', "(loyalty_jobs_oldest_seconds) > 600"),
        ('ratio_rate5m{vendor!="receiver"} > 0.2', "ratio_rate5m > 0.2"),
        ("(loyalty_outbound_events_oldest_seconds) > 3600", "(loyalty_outbound_events_oldest_seconds) > 600"),
    ],
)
def test_a_rule_that_is_wrong_is_noticed(tmp_path: Path, before: str, after: str) -> None:
    rules = (FOLDER / "rules.yml").read_text()
    assert before in rules
    (tmp_path / "rules.yml").write_text(rules.replace(before, after))
    shutil.copy(FOLDER / "rules_test.yml", tmp_path)
    done = promtool("test", "rules", str(tmp_path / "rules_test.yml"))
    assert done.returncode == 1
    assert re.search("FAILED", done.stdout + done.stderr)
