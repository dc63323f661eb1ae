"""Plain words of a vendor: no HTML is left in them, and nothing that was escaped comes to life."""

import re

import pytest
from hypothesis import given
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
        ("", ""),
    ],
)
def test_a_text_is_read_as_a_shopper_would(given: str, shown: str) -> None:
    assert strip_html(given) == shown


PIECES = st.sampled_from(
    ["<", ">", "&", "&lt;", "&gt;", "&amp;", "&#60;", "b", "script", "/", "!--", " ", "=", '"', "x"]
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_whatever_is_given_no_tag_is_left(text: str) -> None:
    shown = strip_html(text)
    assert not re.search("<[A-Za-z/!?]", shown), shown
    if not re.search("[<&]", text):
        assert shown == text


def test_names_and_descriptions_come_without_html(start: Start, vendors: Vendors) -> None:
    """The sandbox's hostile texts are HTML in every place where an editor could have put some."""
    vendors.control("texts", hostile=True)
    ella = start().signed_in("ella")
    for path in ("/rewards", "/earning-rules", "/tiers", "/me/rewards", "/me/activity"):
        reply = ella.api("GET", path)
        assert reply.status_code == 200
        assert not re.search("<[A-Za-z/]", reply.text), reply.text
