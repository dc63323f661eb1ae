"""Which words of a merchant's end the boot, and that the refusal names the language and the text."""

from pathlib import Path

import pytest
from support.processes import bff

from bff.languages.catalogues import Catalogues
from bff.languages.copy import LEGAL, texts
from bff.settings.copy import read_copy
from ops.test_settings import PRODUCTION, refusal

OFF = '"%(amount)s off"'
POINTS = '"%(points)s point"'
HAVE = '"You have <strong>%(points)s point</strong>."'


def said_of(copy: str, **more: str) -> str:
    error = refusal(COPY=copy, **more)
    return "" if error is None else str(error)


@pytest.mark.parametrize(
    "line",
    [
        "Rewards = '100 % \"yours\" & <3'",
        f"{OFF} = 'less by %(amount)s'",
        f"{POINTS} = {{one = 'a star', other = '%(points)s stars'}}",
        "point = {other = 'stars', one = 'star'}",
        f"{HAVE} = {{one = '<strong>%(points)s star</strong>!', other = 'So many: <strong>%(points)s</strong>'}}",
    ],
)
def test_words_with_the_places_and_tags_of_the_text_are_taken(line: str) -> None:
    assert said_of(f"[en]\n{line}") == ""


@pytest.mark.parametrize(
    ("line", "text", "remedy"),
    [
        ("Rewardz = 'Perks'", '"Rewardz"', 'is "Rewards" meant?'),
        ("'Wholly unheard of' = 'x'", '"Wholly unheard of"', "python -m bff copy en lists them."),
        ("'%(points)s points' = 'stars'", '"%(points)s points"', f"is {POINTS} meant?"),
        ("'' = 'x'", '""', "lists them."),
        (f"{OFF} = 'off'", OFF, "give each of these once"),
        (f"{OFF} = '%(amount)s off %(amount)s'", OFF, "give each of these once"),
        (f"{OFF} = '%(amount)s and %(more)s off'", OFF, "give each of these once"),
        (f"{OFF} = '%(amount)s, 10 % off'", OFF, "no other markup or %"),
        (f"{OFF} = '%(amount)s <b>off</b>'", OFF, "no other markup"),
        (f"{OFF} = {{one = '%(amount)s', other = '%(amount)s'}}", OFF, "give one text"),
        ("Rewards = 'x<script>'", '"Rewards"', "without markup"),
        ("Rewards = '<!-- x'", '"Rewards"', "without markup"),
        ("Rewards = ' '", '"Rewards"', "give words"),
        ('Rewards = "a\\u0000b"', '"Rewards"', "on one line"),
        ('Rewards = "a\\nb"', '"Rewards"', "on one line"),
        (f"{POINTS} = 'stars'", POINTS, "a table of one and other"),
        (f"{POINTS} = {{other = '%(points)s stars'}}", POINTS, "a table of one and other"),
        (
            f"{POINTS} = {{one = '1 star', few = '%(points)s', other = '%(points)s'}}",
            POINTS,
            "a table of one and other",
        ),
        (f"{POINTS} = {{one = 'a star', other = 'stars'}}", POINTS, "give each of these once"),
        ("point = {one = '100% star', other = 'stars'}", '"point"', "without markup and %"),
        (
            f"{HAVE} = {{one = '%(points)s star', other = '<strong>%(points)s</strong> stars'}}",
            HAVE,
            "%(points)s <strong> </strong>",
        ),
    ],
)
def test_words_that_cannot_be_used_end_the_boot_with_their_language_and_text(line: str, text: str, remedy: str) -> None:
    said = said_of(f"[en]\n{line}")
    assert said.startswith(f"COPY: [en] {text}"), said
    assert remedy in said, said


def test_what_is_right_in_one_language_ends_the_boot_in_another_that_has_more_plural_forms() -> None:
    line = f"{POINTS} = {{one = 'x', other = '%(points)s'}}"
    assert said_of(f"[de]\n{line}") == ""
    assert "a table of one and many and other" in said_of(f"[fr]\n{line}")
    assert "a table of zero and one and two and few and many and other" in said_of(f"[ar]\n{line}")
    # In French, none is one as well.
    line = f"{POINTS} = {{one = 'une', many = '%(points)s', other = '%(points)s'}}"
    assert said_of(f"[fr]\n{line}").startswith(f"COPY: [fr] {POINTS}: give each of these once")


@pytest.mark.parametrize("text", sorted(LEGAL))
def test_what_says_whether_anything_was_agreed_to_cannot_be_reworded(text: str) -> None:
    assert text in texts()
    assert "it tells shoppers what they have agreed to" in said_of(f'[en]\n"{text}" = "Fine."')


def test_a_language_that_pages_are_not_in_ends_the_boot_until_there_is_a_catalogue_of_it(tmp_path: Path) -> None:
    copy = "[nl]\nRewards = 'Extraatjes'"
    assert said_of(copy) == "COPY: [nl] is none of the languages of the pages: ar, de, en, es, fr."
    (tmp_path / "nl.po").write_text("")
    assert said_of(copy, LOCALE_DIR=str(tmp_path)) == ""


def test_a_process_with_words_that_cannot_be_used_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "copy.toml").write_text("[fr]\nRewards = '<i>Avantages</i>'")
    done = bff({**PRODUCTION, "COPY": str(tmp_path / "copy.toml")}, "serve")
    assert (done.returncode, done.stderr) == (2, 'bff: COPY: [fr] "Rewards": give words without markup.\n')


@pytest.mark.parametrize("tag", ["en", "fr", "de", "es", "ar"])
def test_what_is_printed_to_start_from_can_be_set_and_changes_nothing(tag: str) -> None:
    printed = bff({}, "copy", tag)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert said_of(printed.stdout) == ""
    copy = read_copy(printed.stdout)
    assert copy[tag].keys() == texts().keys() - LEGAL
    before, after = Catalogues().words(tag), Catalogues(copy=copy).words(tag)
    for message in texts().values():
        one, many = (message.id, "") if isinstance(message.id, str) else message.id
        assert after.text(one) == before.text(one)
        for number in (0, 1, 2, 3, 5, 11, 100, 103, 10**6, 1_234_567) if many else ():
            assert after.plural(one, many, number) == before.plural(one, many, number)


def test_texts_with_a_word_are_printed_in_a_language_of_the_merchants(tmp_path: Path) -> None:
    (tmp_path / "nl.po").write_text('msgid "Rewards"\nmsgstr "Beloningen"\n')
    printed = bff({"LOCALE_DIR": str(tmp_path)}, "copy", "nl", "BELONING")
    assert printed.stdout == '[nl]\n"Rewards" = "Beloningen"\n'
    for tag in ("nl", "../fr"):
        refused = bff({}, "copy", tag)
        assert (refused.returncode, refused.stderr) == (1, "bff: the languages are ar, de, en, es, fr.\n")
