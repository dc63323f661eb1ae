"""Plain words of a vendor: no HTML is left in them, and nothing that was escaped comes to life."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.services import Start, Vendors

from bff.vendors.sanitize import strip_html


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("$5 off", "$5 off"),
        ("  two  spaces ", "  two  spaces "),
        ("<p>$5 off</p><p>every <strong>Friday</strong></p>", "$5 off every Friday"),
        ("Fish &amp; Chips", "Fish & Chips"),
        ("Fish & Chips, 5 < 6 and 7 > 6", "Fish & Chips, 5 < 6 and 7 > 6"),
        ("We <3 you", "We <3 you"),
        ("one<br>two<br/>three", "one two three"),
        ("<script>alert(1)</script>Free", "Free"),
        ("&lt;img src=x onerror=alert(1)&gt;Free", "Free"),
        ("&amp;lt;img src=x&amp;gt;Free", "Free"),
        ("<ul><li>One</li><li>Two</li></ul>", "One Two"),
        ("caf&eacute;", "café"),
        ("Free <b", "Free"),
        ("Free</", "Free"),
        ("Free&lt;/", "Free"),
        ("5 <", "5 <"),
        ("", ""),
    ],
)
def test_a_text_is_read_as_a_shopper_would(given: str, shown: str) -> None:
    assert strip_html(given) == shown


# After this a browser reads a tag or a comment, whatever else comes.
MARKUP = re.compile("<[A-Za-z/!?]")
PIECES = st.sampled_from(
    ["<", ">", "&", "&lt;", "&gt;", "&amp;", "&#60;", "b", "script", "/", "!--", " ", "=", '"', "x"]
)


texts = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40)


@given(texts)
@example("</")
@example("a </ ")
@example("&lt;/")
@example("&amp;lt;/")
@example("&amp;amp;lt;/")
@example("&amp;amp;amp;lt;/")
@example("</</")
@example("<</")
def test_whatever_is_given_no_tag_is_left(text: str) -> None:
    assert not MARKUP.search(strip_html(text))


@given(texts)
@example("5 < 6")
@example("a <")
@example("<<3")
def test_what_is_neither_tag_nor_entity_is_kept(text: str) -> None:
    if not re.search("[<&]", text):
        assert strip_html(text) == text
    # HTML knows no NUL.
    text = text.replace("\x00", "")
    if "&" not in text and not MARKUP.search(text):
        assert strip_html(text).split() == text.split()


def test_names_and_descriptions_come_without_html(start: Start, vendors: Vendors) -> None:
    """The sandbox's hostile texts are HTML in every place where an editor could have put some."""
    vendors.control("texts", hostile=True)
    ella = start().signed_in("ella")
    for path in ("/rewards", "/earning-rules", "/tiers", "/me/rewards", "/me/activity"):
        reply = ella.api("GET", path)
        assert reply.status_code == 200
        assert not re.search("<[A-Za-z/]", reply.text), reply.text
