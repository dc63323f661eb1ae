"""The blocks of code in the documents: who runs them, and which cannot be run.

A block is run as it stands; what a document itself says is to be set (an address, a token) is set.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.services import ROOT

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)
# Code that is set apart by four spaces below an empty line, outside of lists, says not what it is.
INDENTED = re.compile(r"(?:^|\n)(?! *[-*0-9|])[^\n]*\n\n {4}\S")
# By document and language: the test that runs its blocks.
RUN_BY: Mapping[tuple[str, str], str] = {
    ("README.md", "js"): "browser/test_snippets.py::test_the_readme_redeems_one_reward_that_is_ready_after_asking",
    ("docs/architecture.md", "python"): "laws/test_snippets.py::test_the_face_in_the_architecture_is_the_pages_own",
    ("docs/backup.md", "sh"): "laws/test_snippets.py::test_the_backup_can_be_restored_from",
    ("docs/cart.md", "json"): "laws/test_snippets.py::test_the_documented_answer_of_a_cart_is_one",
    ("docs/copy.md", "toml"): "laws/test_snippets.py::test_the_documented_words_are_taken",
    ("docs/client.md", "html"): "client/test_elements.py::test_the_documented_elements_show_themselves",
    ("docs/client.md", "js"): "client/test_in_a_browser.py::test_the_documented_page_runs_the_very_bytes",
    ("docs/client.md", "tsx"): "client/test_build.py::test_code_of_a_storefront_compiles_against_the_package",
    ("docs/client.md", "ts"): "client/test_build.py::test_code_of_a_storefront_compiles_against_the_package",
    ("docs/languages.md", "po"): "laws/test_snippets.py::test_the_documented_catalogue_is_taken",
    ("docs/okendo.md", "toml"): "laws/test_snippets.py::test_every_correction_is_taken",
    ("docs/okendo.md", "sh"): "laws/test_snippets.py::test_a_saved_page_makes_overrides",
    ("docs/operations.md", "yaml"): "laws/test_snippets.py::test_prometheus_is_told_where_our_metrics_are",
    (
        "docs/outbound-webhook.md",
        "js",
    ): "events/test_outbound_snippets.py::test_P12_the_documented_receivers_take_what_is_ours_alone",
    (
        "docs/outbound-webhook.md",
        "python",
    ): "events/test_outbound_snippets.py::test_P12_the_documented_receivers_take_what_is_ours_alone",
    (
        "docs/outbound-webhook.md",
        "sh",
    ): "events/test_outbound_snippets.py::test_P12_the_documented_receivers_take_what_is_ours_alone",
    (
        "docs/outbound-webhook.md",
        "json",
    ): "events/test_outbound_snippets.py::test_the_documented_event_and_list_are_those_that_are_sent",
    ("docs/platforms.md", "toml"): "laws/test_snippets.py::test_flys_file_starts_what_the_procfile_does",
    ("docs/theme.md", "toml"): "laws/test_snippets.py::test_both_themes_are_taken",
    ("docs/subtotal.md", "toml"): "laws/test_snippets.py::test_the_table_of_actions_is_taken",
    ("docs/sessions.md", "js"): "browser/test_modes.py::test_the_documented_script_brings_a_ticket",
    ("docs/sessions.md", "sh"): "sessions/test_handles.py::test_P13_the_documented_commands_read_a_member",
    (
        "docs/storefront-development.md",
        "sh",
    ): "ops/test_doctor.py::test_the_documented_question_about_an_origin_is_answered",
    ("docs/storefront.md", "sh"): "browser/test_snippets.py::test_the_guide_leads_from_nothing_to_a_coupon",
    ("docs/storefront.md", "html"): "browser/test_snippets.py::test_the_guide_leads_from_nothing_to_a_coupon",
    ("docs/storefront.md", "js"): "browser/test_snippets.py::test_the_guide_leads_from_nothing_to_a_coupon",
}
# By document and beginning: why nothing runs it.
NOT_RUN: Mapping[tuple[str, str], str] = {
    ("README.md", "make run        # everything on this machine"):
        "starts everything and stays, or runs this very test; tests/ops/test_setup.py and test_devstack.py do it",
    ("docs/storefront.md", "make run\n"):
        "starts everything and stays; tests/ops/test_devstack.py does it",
    ("docs/outbound-webhook.md", "EVENTS_WEBHOOK_URL=http://localhost:4000/loyalty EVENTS_WEBHOOK_SECRET=whsec_"):
        "starts everything and stays; tests/ops/test_devstack.py does it",
    ("docs/architecture.md", "cli\n"): "a picture in letters; the contracts in pyproject.toml hold it",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    document: str
    line: int
    language: str
    text: str

    @property
    def excuse(self) -> tuple[str, str] | None:
        """Why it is not run, if that is so: the key of NOT_RUN."""
        mine = (one for one in NOT_RUN if one[0] == self.document and self.text.startswith(one[1]))
        return next(mine, None)

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def documents() -> list[str]:
    return ["README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md")))]


def blocks_in(document: str) -> Iterator[Block]:
    text = (ROOT / document).read_text()
    for found in FENCE.finditer(text):
        indent = len(found["indent"])
        lines = [line[indent:] for line in found["text"].splitlines(keepends=True)]
        yield Block(document, text.count("\n", 0, found.start()) + 1, found["language"].strip(), "".join(lines))


def by_bash(block: Block, folder: Path, before: str = "", **settings: str) -> str:
    """What a block prints, after what the document has set `before`; any command that fails ends it."""
    environment = {"PATH": f"{ROOT / '.venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin", **settings}
    done = subprocess.run(  # noqa: S603  # A document of ours.
        ["/bin/bash", "-euo", "pipefail", "-c", before + block.text],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}: {done.stderr}"
    return done.stdout


def to_run(document: str, language: str) -> list[Block]:
    """The blocks that the test named above has to run, in their order."""
    found = [block for block in blocks_in(document) if block.language == language]
    return [block for block in found if block.excuse is None]
