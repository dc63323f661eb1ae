"""The documents say what the code does (checklist N7)."""

from pathlib import Path

from bff.endpoints import ROWS
from bff.settings import SETTINGS

ROOT = Path(__file__).parents[1]


def test_N7_the_readme_lists_every_setting_with_its_meaning_and_default() -> None:
    readme = (ROOT / "README.md").read_text()
    for row in SETTINGS:
        default = "**required**" if row.required else f"`{row.default}`" if row.default else "—"
        assert f"| `{row.name}` | {row.meaning} | {default} |" in readme


def test_every_okendo_row_is_documented_with_its_call_and_label() -> None:
    document = (ROOT / "docs" / "okendo.md").read_text()
    for row in ROWS.values():
        assert f"| `{row.name}` | `{row.method} {row.path}` | {row.label} |" in document


def test_every_link_in_the_documents_leads_to_a_file() -> None:
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for part in document.read_text().split("](")[1:]:
            target = part.partition(")")[0]
            assert target.startswith("http") or (document.parent / target).exists(), f"{document.name}: {target}"
