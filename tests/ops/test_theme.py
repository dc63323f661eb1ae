"""Which themes start the service and which end its boot, with the pair of colours that is too hard to tell apart."""

import re
from pathlib import Path

import pytest

from bff.settings.contrast import contrast, nearest
from bff.settings.palette import ON, SCHEMES, complete, faint_pairs
from bff.settings.theme import read_theme
from ops.test_boot import bff
from ops.test_settings import PRODUCTION, refusal


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
        ("#123456", "#123456", 1.0),
    ],
)
def test_contrast_is_what_wcag_says(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


def test_our_own_colours_can_be_told_apart_in_both_schemes() -> None:
    for scheme in SCHEMES:
        assert list(faint_pairs({}, scheme)) == []
        assert {ink for ink, _, _ in ON} < complete({}, scheme).keys()


@pytest.mark.parametrize(
    ("theme", "pair", "least"),
    [
        ("[light]\naccent = '#ffc800'", "light.link #ffc800 on page #f8f6f2", 4.5),
        ("[dark]\naccent = '#14594a'", "dark.link #14594a on page #131412", 4.5),
        ("[light]\nbrand = '#ffffff'\nbrand-ink = '#999999'", "light.brand-ink #999999 on brand #ffffff", 4.5),
        (
            "[light]\naccent-ink = '#2f8a70'\naccent = '#14594a'\nlink='#14594a'",
            "light.accent-ink #2f8a70 on accent",
            4.5,
        ),
        ("[light]\nedge = '#cccccc'", "light.edge #cccccc on page #f8f6f2", 3.0),
        ("[dark]\nmuted = '#555555'", "dark.muted #555555 on page #131412", 4.5),
        ("[light]\ndanger = '#ff7777'", "light.danger #ff7777 on page #f8f6f2", 4.5),
        ("[light]\ncare = '#ffdd99'", "light.care #ffdd99 on card #ffffff", 3.0),
        ("[light]\nink = '#f8f6f2'", "light.ink #f8f6f2 on page #f8f6f2", 4.5),
    ],
)
def test_colours_that_cannot_be_told_apart_end_the_boot_and_the_one_that_is_named_instead_does_not(
    theme: str, pair: str, least: float
) -> None:
    said = str(refusal(THEME=theme))
    assert said.startswith(f"THEME: {pair}"), said
    found = re.search(
        r"(#\w{6}) on [\w-]+ #\w{6}: the contrast is ([\d.]+):1, and ([\d.]+):1 is needed; (#\w{6}) is", said
    )
    assert found, said
    ink, ratio, needed, instead = found.groups()
    assert float(ratio) < float(needed) == least
    assert refusal(THEME=theme.replace(ink, instead)) is None


def test_the_nearest_colour_keeps_its_hue_and_just_passes() -> None:
    def on_white(colour: str) -> bool:
        return contrast(colour, "#ffffff") >= 4.5

    assert nearest("#14594a", on_white) == "#14594a"
    found = nearest("#ffc800", on_white)
    assert found is not None
    assert 4.5 <= contrast(found, "#ffffff") < 4.7
    assert nearest("#777777", lambda colour: on_white(colour) and contrast(colour, "#000000") >= 7) is None


def test_where_no_ink_passes_on_all_its_grounds_another_ground_is_asked_for() -> None:
    said = str(refusal(THEME="[light]\npage = '#000000'"))
    assert said.startswith("THEME: light.ink #1d1b18 on page #000000")


def test_a_dark_accent_that_is_not_given_is_a_lighter_one_of_the_light() -> None:
    theme = read_theme("[light]\naccent = '#8a1538'")
    assert theme.palettes["dark"]["accent"] != complete({}, "dark")["accent"]
    assert contrast(theme.palettes["dark"]["link"], theme.palettes["dark"]["card"]) >= 7


def test_a_scheme_that_the_shop_has_not_need_not_be_legible() -> None:
    bright = "[dark]\naccent = '#111111'"
    assert refusal(THEME=bright) is not None
    assert refusal(THEME=f'schemes = ["light"]\n{bright}') is None


def test_files_are_found_beside_the_theme(tmp_path: Path) -> None:
    (tmp_path / "own.woff2").write_bytes(b"a font")
    (tmp_path / "own.toml").write_text("[fonts]\ntext = 'own.woff2'")
    theme = read_theme(str(tmp_path / "own.toml"))
    assert [(file.name, file.content) for file in theme.files] == [("theme-fonts-text.woff2", b"a font")] * 2
    (tmp_path / "own.woff2").write_bytes(b"x" * 1_000_001)
    assert "1000 kB at most" in str(refusal(THEME=str(tmp_path / "own.toml")))


def test_a_key_that_is_misspelled_is_told_what_it_is_like() -> None:
    assert "is light.accent meant?" in str(refusal(THEME="[light]\nacent = '#000000'"))


def test_a_process_with_faint_colours_ends_with_one_line() -> None:
    done = bff("serve", {**PRODUCTION, "THEME": "[light]\naccent = '#ffc800'"})
    said = (done.stdout + done.stderr).strip()
    assert done.returncode != 0
    assert said.startswith("bff: THEME: light.link #ffc800 on page #f8f6f2: the contrast is 1.4")
    assert len(said.splitlines()) == 1
