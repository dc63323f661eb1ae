"""What alerts and dashboard ask for is there, what is there is asked for, and each alert has its row in the runbook."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from support.held_requests import TOKEN, scraped
from support.services import ROOT, Start

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
RUNBOOK = ROOT / "docs" / "operations.md"
NAME = re.compile(r"\bloyalty[_:][a-z0-9_:]+")
# What one metric is asked for by: a histogram's or a counter's samples have longer names than itself.
SUFFIX = re.compile(r"_(?:bucket|count|sum)$")


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def asked_for(expressions: Iterator[str]) -> set[str]:
    return {SUFFIX.sub("", name) for expression in expressions for name in NAME.findall(expression)} - RECORDED


def shown() -> Iterator[str]:
    board = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
    return (target["expr"] for panel in board["panels"] for target in panel.get("targets", ()))


def section(title: str) -> str:
    return RUNBOOK.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture
def exposed(start: Start) -> set[str]:
    """Every metric that a service answers with, by its name in the text format."""
    return set(re.findall(r"^# TYPE (\S+)", scraped(start(METRICS_TOKEN=TOKEN)), re.MULTILINE))


def test_rules_and_dashboard_ask_for_what_is_there_and_leave_nothing_out(exposed: set[str]) -> None:
    by_rules = asked_for(rule["expr"] for rule in rules())
    by_dashboard = asked_for(shown())
    assert len(by_rules) > 10
    assert by_rules <= exposed
    assert by_dashboard <= exposed
    assert by_rules | by_dashboard == exposed


def test_every_recorded_name_that_is_asked_for_is_recorded_and_used() -> None:
    used = {
        name for text in (*(rule["expr"] for rule in rules()), *shown()) for name in NAME.findall(text) if ":" in name
    }
    assert used == RECORDED


def test_every_metric_is_documented(exposed: set[str]) -> None:
    rows = [line.split("|")[1] for line in section("Numbers to watch").splitlines() if line.startswith("| `loyalty_")]
    assert {name for row in rows for name in NAME.findall(row)} == exposed


def test_every_alert_has_its_row_with_its_severity_and_leads_there() -> None:
    rows = [line.split(" | ") for line in section("Alerts").splitlines() if line.startswith("| `Loyalty")]
    assert {row[0].strip("| `"): row[1] for row in rows} == {
        name: alert["labels"]["severity"] for name, alert in ALERTS.items()
    }
    assert all(len(row) == 4 and all(cell.strip(" |") for cell in row) for row in rows)
    for alert in ALERTS.values():
        assert alert["annotations"]["summary"]
        assert alert["annotations"]["runbook_url"] == "docs/operations.md#alerts"


def test_every_alert_is_shown_to_fire_and_every_objective_names_alerts_that_there_are() -> None:
    tested = (RULES.parent / "rules_test.yml").read_text()
    assert set(re.findall(r'alertname="(\w+)",alertstate="firing"', tested)) == set(ALERTS)
    objectives = (ROOT / "docs" / "slo.md").read_text()
    assert set(re.findall(r"`(Loyalty\w+)`", objectives)) <= set(ALERTS)
    named = {name.removesuffix("_*").removesuffix("*") for name in re.findall(r"`(loyalty:[a-z0-9_:*]+)`", objectives)}
    assert all(any(known.startswith(name) for known in RECORDED) for name in named)


def test_the_dashboards_panels_do_not_lie_on_each_other() -> None:
    panels = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())["panels"]
    places = [
        (x, y)
        for panel in panels
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in panels}) == len(panels)
