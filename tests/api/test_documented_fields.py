"""Every field of every body has a type and words, in the OpenAPI document and on the page that is made of it."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from support.every_route import DOCS
from support.page_rules import markup_of
from support.shopper import Page, Shopper

from api.test_openapi import answers_of, operations
from bff.schemas import activity, base, cart, member, money, policies, program, redemption, requests, retailers, worth

Rows = dict[str, dict[str, tuple[str, str]]]
PAGE_BYTES = 20_480
# Types that the page has another word for; null is said only where it can be answered.
SAID = {"array": "list of", "null": ""}


@pytest.fixture
def document(shopper: Shopper) -> Any:
    return shopper.api("GET", "/openapi.json").json()


@pytest.fixture
def page(shopper: Shopper) -> Page:
    return shopper.get(DOCS)


@pytest.fixture
def rows(page: Page) -> Rows:
    """By section and name: what stands beside the name, and the words below."""
    found: Rows = {}
    section = name = beside = ""
    for element in markup_of(page).elements:
        text = plain(element.text)
        if element.tag == "section":
            section = element.attributes.get("id", "")
        elif element.tag == "dt":
            name, _, beside = text.partition(" ")
        elif element.tag == "dd":
            found.setdefault(section, {})[name] = (beside, text)
    return found


def plain(words: str) -> str:
    return " ".join(words.replace("`", "").split())


def bodies(document: Any) -> Iterator[tuple[str, Any]]:
    """The schema of every request and of every answer, each with the section that its route has on the page."""
    for operation in operations(document).values():
        for holder in (operation.get("requestBody", {}), *answers_of(operation, document).values()):
            for content in holder.get("content", {}).values():
                yield operation["operationId"], content["schema"]


def inside(schema: Any) -> Iterator[tuple[str, str]]:
    """The shapes that are named in there, each after the brackets of the lists around it."""
    if "$ref" in schema:
        yield "", schema["$ref"].split("/")[-1]
    if "items" in schema:
        yield from ((f"[]{brackets}", shape) for brackets, shape in inside(schema["items"]))
    for one in schema.get("anyOf", ()):
        yield from inside(one)


def gaps(schema: Any, section: str, above: str, rows: Rows, document: Any) -> Iterator[str]:
    """What a reader misses who follows this schema from its section, and through links from there."""
    for brackets, shape in inside(schema):
        apart = f"schema-{shape}" in rows
        place, path = (f"schema-{shape}", "") if apart else (section, f"{above}{brackets}." if above else "")
        described = document["components"]["schemas"][shape]
        for field, inner in described["properties"].items():
            beside, words = rows.get(place, {}).get(path + field, ("", ""))
            wanted = set(expected(inner, rows)) | {presence(field, described)}
            yield from (f"{place} {path}{field}: {one}" for one in wanted if one not in beside)
            if not words or words != plain(inner["description"]):
                yield f"{place} {path}{field}: no words"
            yield from gaps(inner, place, path + field, rows, document)


def presence(field: str, shape: Any) -> str:
    return "required" if field in shape["required"] else "may be absent"


def expected(schema: Any, rows: Rows) -> Iterator[str]:
    """What has to stand beside a field of this schema."""
    for _, shape in inside(schema):
        yield shape if f"schema-{shape}" in rows else "object"
    for one in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        yield SAID.get(one.get("type", "null"), one.get("type"))
        yield from one.get("enum", ())
        yield from (str(one[limit]) for limit in ("maximum", "maxLength", "pattern", "format") if limit in one)


def test_every_field_is_on_the_page_with_its_type_and_its_words(rows: Rows, document: Any) -> None:
    found = list(bodies(document))
    assert len(found) > 150
    assert [gap for section, schema in found for gap in gaps(schema, section, "", rows, document)] == []


def test_the_reader_of_the_page_notices_what_is_missing(rows: Rows, document: Any) -> None:
    state, of = rows["schema-Member"].pop("state"), rows["schema-Reward"].pop("canRedeem.state")
    assert "enrolled" in state[0]
    assert "ready" in of[0]
    rows["listActivity"]["activity[].coupon"] = ("object · may be absent", "The one that came of it")
    rows["redeemReward"]["rewardId"] = ("string · required", "")
    missed = {
        gap.partition(": ")[0] for section, one in bodies(document) for gap in gaps(one, section, "", rows, document)
    }
    assert missed == {
        "schema-Member state", "schema-Reward canRedeem.state", "listActivity activity[].coupon",
        "redeemReward rewardId",
    }  # fmt: skip


def test_what_may_be_absent_is_optional_and_never_null(document: Any) -> None:
    """A generated type that says null where the field is left out fails where it is read (`undefined`)."""
    found = {
        (name, field): schema
        for name, shape in document["components"]["schemas"].items()
        for field, schema in shape["properties"].items()
    }
    assert {where for where, schema in found.items() if "null" in json.dumps(schema)} == {
        ("Activity", "next"), ("Referrals", "next")
    }  # fmt: skip
    assert [where for where, schema in found.items() if "default" in schema] == []


def test_null_is_named_only_where_it_can_be_answered(rows: Rows) -> None:
    named = {
        (section, name) for section, found in rows.items() for name, (beside, _) in found.items() if "null" in beside
    }
    assert named == {("listActivity", "next"), ("listReferrals", "next")}


def test_a_parameter_says_where_it_goes_and_what_it_may_be(rows: Rows) -> None:
    assert rows["listActivity"]["limit"][0] == "query: integer from 1 to 100 · may be absent"
    assert rows["redeemReward"]["Idempotency-Key"][0].startswith("header: string that matches")
    assert rows["getMember"]["include"][0].startswith(
        "query: list of one of rewards, earningRules, tierProgress, coupons"
    )


def test_every_schema_is_documented_and_every_field_of_it_described(document: Any) -> None:
    """Besides the bases, and what only the pages are told: who is looking."""
    modules = (activity, base, cart, member, money, policies, program, redemption, requests, retailers, worth)
    schemas = {
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    }
    documented = document["components"]["schemas"]
    assert schemas - documented.keys() == {"Schema", "Body", "Visitor", "Part", "TokenHandIn"}
    assert documented.keys() - schemas == set()
    fields = [(name, *field) for name, shape in documented.items() for field in shape["properties"].items()]
    assert [f"{name}.{field}" for name, field, schema in fields if not schema.get("description")] == []


def test_every_shape_that_is_linked_is_explained(page: Page, rows: Rows) -> None:
    linked = {element.attributes.get("href", "") for element in markup_of(page).all("a")}
    assert {name for name in linked if name.startswith("#schema-")} == {
        f"#{name}" for name in rows if "schema-" in name
    }


def test_the_page_is_small(page: Page) -> None:
    assert len(gzip.compress(page.reply.content)) < PAGE_BYTES


def test_the_document_says_which_texts_are_times(document: Any) -> None:
    times = re.findall(r'"format": "date-time"', json.dumps(document["components"]["schemas"]))
    assert len(times) == 13
