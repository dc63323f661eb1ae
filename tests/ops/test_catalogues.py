"""Which catalogues of a merchant's end the boot: what would fail on a page, or lose its value or its tags there."""

from pathlib import Path

import pytest

from ops.test_settings import refusal

HEAD = 'msgid ""\nmsgstr ""\n"Language: nl\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
POINTS = 'msgid "%(points)s point"\nmsgid_plural "%(points)s points"\n'
HAVE = (
    'msgid "You have <strong>%(points)s point</strong>."\nmsgid_plural "You have <strong>%(points)s points</strong>."\n'
)
POINT = 'msgid "point"\nmsgid_plural "points"\n'


def said_of(catalogue: str, folder: Path) -> str:
    (folder / "nl.po").write_text(HEAD + catalogue, "utf-8")
    error = refusal(LOCALE_DIR=str(folder))
    return "" if error is None else str(error)


@pytest.mark.parametrize(
    "catalogue",
    [
        'msgid "Rewards"\nmsgstr "100 % & <3"\n',
        POINTS + 'msgstr[0] "een punt"\nmsgstr[1] "%(points)s punten"\n',
        HAVE + 'msgstr[0] "<strong>%(points)s punt</strong>."\nmsgstr[1] "<strong>%(points)s</strong> punten."\n',
        POINTS + 'msgstr[0] ""\nmsgstr[1] ""\n',
    ],
)
def test_a_catalogue_whose_texts_have_the_same_places_and_tags_is_taken(catalogue: str, tmp_path: Path) -> None:
    assert said_of(catalogue, tmp_path) == ""


@pytest.mark.parametrize(
    "catalogue",
    [
        'msgid "%(amount)s off"\nmsgstr "korting"\n',
        'msgid "%(amount)s off"\nmsgstr "%(amount)s van %(amount)s"\n',
        'msgid "%(amount)s off"\nmsgstr "%(bedrag)s korting"\n',
        'msgid "%(amount)s off"\nmsgstr "%(amount)s is 10 % korting"\n',
        'msgid "Rewards"\nmsgstr "<em>Beloningen</em>"\n',
        'msgid "Rewards"\nmsgstr "<img src=x>"\n',
        POINTS + 'msgstr[0] "%(points)s punt"\nmsgstr[1] "punten"\n',
        POINTS + 'msgstr[0] "%(points)s punt"\nmsgstr[1] ""\n',
        POINT + 'msgstr[0] "punt"\nmsgstr[1] "100% punten"\n',
        HAVE + 'msgstr[0] "</strong>%(points)s punt<strong>"\nmsgstr[1] "<strong>%(points)s punten</strong>"\n',
        HAVE + 'msgstr[0] "%(points)s punt"\nmsgstr[1] "<strong>%(points)s punten</strong>"\n',
    ],
)
def test_one_that_lacks_or_adds_a_place_or_a_tag_ends_the_boot(catalogue: str, tmp_path: Path) -> None:
    said = said_of(catalogue, tmp_path)
    assert said.startswith("LOCALE_DIR: give catalogues that can be used: nl.po: "), said
