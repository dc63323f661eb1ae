"""Replies in every shape that Okendo documents or may plausibly have, read field by field.

`vendor_replies/<operation>.json` maps what is special about a reply to its `body` and to what must be `read` from it.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bff.errors import UpstreamFailed
from bff.schemas.member import Member
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.reading import ReplyReader

FOLDER = Path(__file__).parent / "vendor_replies"
# A file that looks closer at one thing, and the operation whose replies it holds.
OTHER_NAMES = {"vip_perks": "vip_program"}


def written_down() -> list[Any]:
    """Every reply in the folder: operation, body, what is read from it (None: it must be refused)."""
    cases = []
    for file in sorted(FOLDER.glob("*.json")):
        for name, case in json.loads(file.read_text("utf-8")).items():
            operation = OTHER_NAMES.get(file.stem, file.stem)
            cases.append(pytest.param(operation, case["body"], case.get("read"), id=f"{file.stem}: {name}"))
            assert ("read" in case) is not case.get("fails", False), f"{file.stem}: {name}"
    return cases


CASES = written_down()


def test_every_operation_has_replies_written_down() -> None:
    assert {case.values[0] for case in CASES} == set(OPERATIONS)


def test_every_field_says_under_which_names_it_may_come() -> None:
    """The names that a correction gives come instead, and nothing is corrected as shipped."""
    declared = {name: row.names_of_fields() for name, row in OPERATIONS.items()}
    assert [f"{name} {field}" for name, fields in declared.items() for field in fields if not fields[field]] == []
    assert [name for name, row in OPERATIONS.items() if row.names] == []
    corrected = msgspec.structs.replace(OPERATIONS["customer"], names={"balance": ("elsewhere",)})
    assert corrected.names_of_fields() == declared["customer"] | {"balance": ("elsewhere",)}


@pytest.mark.parametrize(("operation", "body", "expected"), CASES)
def test_G8_a_reply_is_read_field_by_field(operation: str, body: Any, expected: Any) -> None:
    if expected is None:
        with pytest.raises(UpstreamFailed):
            ReplyReader(OPERATIONS[operation]).read(body)
        return
    found = json.loads(msgspec.json.encode(ReplyReader(OPERATIONS[operation]).read(body)))
    assert only_named(found, expected) == expected


def only_named(found: Any, expected: Any) -> Any:
    """The fields that the expectation speaks of, everywhere in what was read."""
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return [only_named(*pair) for pair in zip(found, expected, strict=True)]
    if isinstance(found, dict) and isinstance(expected, dict):
        return {name: only_named(found.get(name), inner) for name, inner in expected.items()}
    return found


def names_of(value: Any) -> set[str]:
    """Every key that the replies use, so that invented bodies hit the places where something is looked for."""
    if isinstance(value, dict):
        return set(value).union(*(names_of(inner) for inner in value.values()))
    return set().union(*(names_of(inner) for inner in value)) if isinstance(value, list) else set()


KEYS = sorted(set().union(*(names_of(case.values[1]) for case in CASES)))
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["enrolled", "2026-01-01", "500.0", "9" * 400, "1e999", "nan", "-0", "24:00", "\x00", "0x10"]),
)


def nested(leaves: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
        max_leaves=12,
    )


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    """A reply of one operation, with one part of it replaced by something else."""
    case = draw(st.sampled_from(CASES))
    operation, body = case.values[0], json.loads(json.dumps(case.values[1]))
    holder = {"": body}
    place: Any = holder
    key: Any = ""
    while isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
        place = place[key]
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = draw(nested(LEAVES))
    return operation, holder[""]


def is_of_its_shape(operation: str, body: Any) -> bool:
    """Whether it reads as the row's shape, or is refused in the one way callers know."""
    try:
        found = ReplyReader(OPERATIONS[operation]).read(body)
    except UpstreamFailed:
        return True
    # Decoding what it encodes to checks the type of every field; a number that is none would become null.
    return bool(msgspec.json.decode(msgspec.json.encode(found), type=OPERATIONS[operation].reply) == found)


@given(mutated())
@settings(max_examples=600, deadline=None)
def test_G8_a_mutated_reply_is_read_or_refused_and_nothing_else(case: tuple[str, Any]) -> None:
    assert is_of_its_shape(*case)


@given(st.sampled_from(sorted(OPERATIONS)), nested(LEAVES))
@settings(max_examples=400, deadline=None)
def test_G8_an_invented_reply_is_read_or_refused_and_nothing_else(operation: str, body: Any) -> None:
    assert is_of_its_shape(operation, body)


@given(st.integers(min_value=-(2**53), max_value=2**53), st.sampled_from([str, float, int]))
@settings(max_examples=100, deadline=None)
def test_a_number_is_the_same_number_however_it_is_written(points: int, written: Any) -> None:
    body = {"loyaltyCustomer": {"status": "enrolled", "points": {"balance": written(points)}}}
    assert ReplyReader(OPERATIONS["customer"]).read(body).balance == points


def test_a_balance_that_is_no_number_is_refused() -> None:
    values: tuple[Any, ...] = ("NaN", "Infinity", "-inf", float("nan"), float("inf"), True, [], {}, "")
    for balance in values:
        with pytest.raises(UpstreamFailed):
            ReplyReader(OPERATIONS["customer"]).read({"status": "enrolled", "points": {"balance": balance}})


@pytest.mark.parametrize("name", ["shareableLinkUrl", "referralUrl"])
def test_F4_a_members_link_is_shown_where_the_vendor_tells_a_safe_one(name: str) -> None:
    for url, shown in (("https://shop.example.com/r/1", True), ("javascript:alert(1)", False), ("//evil.test", False)):
        customer = ReplyReader(OPERATIONS["customer"]).read({"status": "enrolled", "points": {"balance": 1}, name: url})
        assert Member.from_okendo(customer, None).referral_url == (url if shown else None)
