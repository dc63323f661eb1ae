"""What the alert rules make of scrapes of a real service, as Prometheus would see them minute after minute.

Before the incident each minute is like the healthy one that was scraped, afterwards like the one of the incident:
counters go on rising by as much, gauges stay. An age gets older, and a sign of life that is fresh is renewed.
"""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from support.held_requests import scraped
from support.promtool import promtool
from support.services import ROOT, Service

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
HEALTHY_MINUTES = 20
# Longer than the hour for which a redemption may be unknown, with what its alert waits for in addition.
INCIDENT_MINUTES = 90
LIVES_SECONDS = 60
MINUTE = 60.0


class Sample(NamedTuple):
    """A value, and by how much it changes in a minute; None: by as much as in the minute before the scrape.
    `is_time`: the value is one in time, counted from the scrape on."""

    value: float
    step: float | None
    is_time: bool = False


Scrape = Mapping[str, Sample]


class Scrapes(NamedTuple):
    """Of one service: before a healthy minute, after it, and after a minute of the incident."""

    quiet: Scrape
    healthy: Scrape
    broken: Scrape


def scrape(service: Service) -> Scrape:
    """Every sample that a rule may ask for by its series, such as `loyalty_jobs_due{queue="paying"}`."""
    families = text_string_to_metric_families(scraped(service))
    return {
        _series(sample.name, sample.labels): _sample(family.type, sample.name, sample.value)
        for family in families
        for sample in family.samples
        if sample.labels.get("le", "1.0") == "1.0"
    }


def _series(name: str, labels: Mapping[str, str]) -> str:
    return f"{name}{{{','.join(f'{label}={json.dumps(value)}' for label, value in labels.items())}}}"


def _sample(kind: str, name: str, value: float) -> Sample:
    if name.endswith("_timestamp_seconds"):
        silent = time.time() - value
        return Sample(-silent, MINUTE if silent < LIVES_SECONDS else 0, is_time=True)
    if name.endswith("_oldest_seconds"):
        return Sample(value, MINUTE if value else 0)
    return Sample(value, 0 if kind == "gauge" else None)


def judged(scrapes: Scrapes, alert: str, folder: Path, *, fires: bool = True, rising: str = "") -> str:
    """What is wrong with the rules, else empty: some alert fires before the incident, or in it this one, a regular
    expression, does not, or does where `fires` says no. `rising` is a gauge that goes on as in the incident's minute.
    """
    series = sorted(scrapes.quiet.keys() | scrapes.healthy.keys() | scrapes.broken.keys())
    inputs = [{"series": name, "values": " ".join(_values(scrapes, name, rising))} for name in series]
    count = f'count(ALERTS{{alertname=~"{alert}",alertstate="firing"}}) > bool 0'
    end = HEALTHY_MINUTES + INCIDENT_MINUTES - 1
    expected = [
        {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{HEALTHY_MINUTES - 1}m", "exp_samples": []},
        {"expr": count, "eval_time": f"{end}m", "exp_samples": [{"labels": "{}", "value": 1}] if fires else []},
    ]
    test = {"interval": "1m", "input_series": inputs, "promql_expr_test": expected}
    # What is JSON is YAML, too.
    file = folder / "incident.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = promtool("test", "rules", str(file))
    return done.stdout + done.stderr if done.returncode else ""


def _values(scrapes: Scrapes, name: str, rising: str) -> Iterator[str]:
    """The last of the healthy minutes is the one that was scraped, and so is the first of the incident."""
    quiet, healthy, broken = (found.get(name) for found in scrapes)
    yield _minutes(quiet, healthy, HEALTHY_MINUTES, scraped_in=HEALTHY_MINUTES - 1)
    goes_on = rising != "" and name.startswith(rising)
    broken = broken._replace(step=None) if broken and goes_on else broken
    yield _minutes(healthy, broken, INCIDENT_MINUTES, begin=HEALTHY_MINUTES)


def _minutes(before: Sample | None, after: Sample | None, count: int, *, begin: int = 0, scraped_in: int = 0) -> str:
    """In promtool's notation: `from+step x times`, of which `from` is one more, and `_` where nothing is there."""
    if after is None:
        return f"_x{count}"
    step = after.value - (before.value if before else 0) if after.step is None else after.step
    scraped_at = (begin + scraped_in) * MINUTE if after.is_time else 0
    return f"{after.value + scraped_at - step * scraped_in:.6f}{step:+.6f}x{count - 1}"
