"""What an examination found: lines with a verdict and a remedy, for people and for programs."""

from typing import Literal

import msgspec

Verdict = Literal["ok", "warn", "fail", "note"]


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. `note` is something to know or to do, `remedy` what to do about a warning or a failure."""

    area: str
    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""


class Report(msgspec.Struct, frozen=True):
    healthy: bool
    findings: list[Check]


def report(findings: list[Check]) -> Report:
    return Report(all(finding.verdict != "fail" for finding in findings), findings)


def format_report(report: Report) -> str:
    """For people: aligned, one area after the other."""
    width = max(len(finding.name) for finding in report.findings)
    lines: list[str] = []
    area = ""
    for finding in report.findings:
        if finding.area != area:
            area = finding.area
            lines += ["", area]
        lines.append(f"  {finding.verdict:<4}  {finding.name:<{width}}  {finding.detail}")
        if finding.remedy:
            lines.append(f"  {'':<4}  {'':<{width}}  → {finding.remedy}")
    failures = sum(finding.verdict == "fail" for finding in report.findings)
    return "\n".join([*lines, "", "Nothing failed." if report.healthy else f"Failed: {failures}."]).lstrip("\n")
