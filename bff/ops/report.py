"""What the doctor checked: one line a check with its verdict and remedy, for people and for programs."""

from typing import Literal

import msgspec

from bff.ops.terminal import printable

Verdict = Literal["ok", "warn", "fail", "note"]


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. `note` is something to know or to do; `remedy` says how to correct a warning or a failure."""

    area: str
    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""


class Report(msgspec.Struct, frozen=True):
    """All checks; `healthy` when none failed."""

    healthy: bool
    checks: list[Check]


def make_report(checks: list[Check]) -> Report:
    return Report(healthy=all(check.verdict != "fail" for check in checks), checks=checks)


def format_report(report: Report) -> str:
    """For people: aligned, one area after the other."""
    width = max(len(check.name) for check in report.checks)
    lines: list[str] = []
    area = ""
    for check in report.checks:
        if check.area != area:
            area = check.area
            lines += ["", area]
        lines.append(f"  {check.verdict:<4}  {check.name:<{width}}  {printable(check.detail)}")
        if check.remedy:
            lines.append(f"  {'':<4}  {'':<{width}}  → {printable(check.remedy)}")
    failures = sum(check.verdict == "fail" for check in report.checks)
    return "\n".join([*lines, "", "Nothing failed." if report.healthy else f"Failed: {failures}."]).lstrip("\n")
