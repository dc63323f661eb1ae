"""Okendo's ids on their way to a browser and back."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bff.vendors.okendo.ids import as_sent, is_usable, url_safe


@given(st.text(min_size=1))
@example("~")
@example("~Zm9v")
@example("gid://okendo/RedemptionRule/42")
def test_P4_every_id_that_is_passed_on_comes_back_as_it_was(vendor_id: str) -> None:
    ours = url_safe(vendor_id)
    if ours is None:
        assert not is_usable(vendor_id)
    else:
        assert re.fullmatch(r"[A-Za-z0-9_~-]+", ours)
        assert as_sent(ours) == vendor_id


@given(st.text(min_size=1), st.text(min_size=1))
def test_P4_no_two_ids_become_one(one: str, other: str) -> None:
    assert one == other or url_safe(one) != url_safe(other) or url_safe(one) is None


@given(st.text())
def test_P4_what_is_no_id_of_ours_is_sent_as_it_is(given_text: str) -> None:
    assert as_sent(given_text) == given_text or url_safe(as_sent(given_text)) == given_text
