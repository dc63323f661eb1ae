"""The documents say what the code does (checklist N7)."""

import re
from pathlib import Path

from bff.api.routes import ENDPOINTS
from bff.app import MEMBER_ROUTES
from bff.settings.table import SETTINGS
from bff.vendors.okendo.fields import fields_of
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.overrides import given_in_path
from bff.vendors.okendo.row import ForMerchant

ROOT = Path(__file__).parents[2]


def test_N7_the_readme_lists_every_setting_with_its_meaning_and_default() -> None:
    readme = (ROOT / "README.md").read_text()
    for row in SETTINGS:
        default = "**required**" if row.required else f"`{row.default}`" if row.default else "—"
        assert f"| `{row.name}` | {row.meaning} | {default} |" in readme


def test_every_okendo_row_is_documented_with_its_call_and_label() -> None:
    document = (ROOT / "docs" / "okendo.md").read_text()
    for row in OPERATIONS.values():
        assert f"| `{row.name}` | `{row.method} {row.path}` | {row.label} |" in document


def test_every_okendo_row_lists_what_a_file_may_call_otherwise() -> None:
    document = (ROOT / "docs" / "okendo.md").read_text()
    for row in OPERATIONS.values():
        required = {field.name for field in fields_of(row.item) if field.is_required}
        names = [f"**`{one}`**" if one in required else f"`{one}`" for one in row.names_of_fields()]
        sends = [f"`{one}`" for one in dict.fromkeys([*row.sends, *sorted(given_in_path(row))])]
        sends += [f"(`{one}`)" for one in row.may_send]
        line = f"| `{row.name}` | {', '.join(sends) or '—'} | {', '.join(names) or '—'} |"
        assert line in document, line


def test_every_heading_of_the_vendors_page_has_its_operation_route_page_and_test() -> None:
    document = (ROOT / "docs" / "okendo.md").read_text()
    section = document.partition("## What the vendor's page says")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    headings = {line[0].partition(":")[0] for line in lines}
    assert headings >= {"Pre-Requisites", "Terminology", "Recommended Usage", "Unauthenticated"}
    assert headings >= {
        "Customer Authenticated",
        "Loyalty x Referrals",
        *(f"Program Enrolment {n}" for n in (1, 2, 3, 4)),
    }
    named = [set(re.findall(r"`([^`]+)`", line[1])) for line in lines]
    # The Merchant API has a page of its own.
    assert set().union(*named) == {name for name, row in OPERATIONS.items() if not isinstance(row, ForMerchant)}
    routes = {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
    pages = {route.path for route in MEMBER_ROUTES}
    for _, _, route, where, test in lines:
        assert set(re.findall(r"`([^`]+)`", route)) <= routes, route
        assert set(re.findall(r"`([^`]+)`", where)) <= pages, where
        file, _, function = test.strip("`").partition("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(), test


def test_every_link_in_the_documents_leads_to_a_file_and_to_a_heading_in_it() -> None:
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for part in document.read_text().split("](")[1:]:
            target = part.partition(")")[0]
            place, _, heading = target.partition("#")
            file = document.parent / place if place else document
            assert target.startswith("http") or file.exists(), f"{document.name}: {target}"
            assert not heading or target.startswith("http") or heading in headings_of(file), (
                f"{document.name}: {target}"
            )


def headings_of(document: Path) -> set[str]:
    """As they are named in addresses: small letters, no punctuation, dashes for spaces."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
