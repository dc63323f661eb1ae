"""The metrics of several processes as one text: each sample says with the label `process` whose it is.

A line of Prometheus's text format (version 0.0.4) is a remark about a metric, `# HELP name …` or `# TYPE name …`, or a
sample of the metric that was remarked on last: `name{label="value"} 1.0` or `name 1.0`.
"""

import re
import socket
from collections.abc import Mapping

UNFIT = re.compile(r"[^A-Za-z0-9._/:-]")


def process_name(role: str, number: int, platform: str | None) -> str:
    """What the platform calls this dyno (Heroku's `DYNO`: `web.1`); elsewhere `web/host:8000`, where the number keeps
    two of one machine apart."""
    return UNFIT.sub("_", platform or f"{role}/{socket.gethostname()}:{number}")


def merged(texts: Mapping[str, str]) -> str:
    """One text of all, from the text of each process: every metric once, with the samples of them all below it."""
    remarks: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for process, text in texts.items():
        for remarked, sampled in _metrics(text):
            name = remarked[0].split(" ", 3)[2]
            remarks.setdefault(name, remarked)
            samples.setdefault(name, []).extend(_labelled(sample, process) for sample in sampled)
    return "".join(f"{line}\n" for name in remarks for line in (*remarks[name], *samples[name]))


def _metrics(text: str) -> list[tuple[list[str], list[str]]]:
    """Remarks and samples of each metric of one process."""
    found: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            found.append(([line], []))
        else:
            found[-1][0 if line.startswith("#") else 1].append(line)
    return found


def _labelled(sample: str, process: str) -> str:
    name, brace, labels = sample.partition("{")
    if brace:
        return f'{name}{{process="{process}",{labels}'
    name, _, value = sample.partition(" ")
    return f'{name}{{process="{process}"}} {value}'
