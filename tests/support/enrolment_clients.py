"""Joining as storefront JavaScript and as a page's form does it, and what is looked at afterwards."""

import re
from typing import Any, TypeAlias

import httpx2
import psycopg
from psycopg.rows import dict_row

from support.services import Vendors
from support.shopper import Page, Reader, Shopper

Rows: TypeAlias = "psycopg.Connection[tuple[object, ...]]"
NEW_WORDS = 'From today on you agree to <a href="https://shop.example.com/policies/new">these new terms</a>.'


def agree(shopper: Shopper, **changes: Any) -> httpx2.Response:
    """Agree to the policies that the public route shows, with these changes."""
    policies = shopper.api("GET", "/legal-policies").json()
    body = {"policiesVersion": policies["version"], "policiesDigest": policies["digest"]} | changes
    return shopper.api("POST", "/me/enrolment", body)


def words_of(html: str) -> str:
    """What a reader sees of some HTML."""
    reader = Reader()
    reader.feed(html)
    return " ".join(reader.words)


def links_of(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    return reader.links


def sentence_on(page: Page) -> str:
    """The HTML of the block that stands right behind the button, in the same form."""
    form = re.search(r'<form[^>]*action="/join".*?</form>', page.reply.text, re.S)
    assert form, page.reply.text
    found = re.search(r"</button>\s*<(\w+)[^>]*>(.*)</\1>\s*</form>", form[0], re.S)
    assert found, form[0]
    return found[2]


def enrolments_of(vendors: Vendors, persona: str) -> list[Any]:
    found: list[Any] = vendors.member(persona)["enrolments"]
    return found


def sends(vendors: Vendors) -> int:
    """How often the vendor was told to enrol."""
    return len(vendors.calls("customer_activation"))


def evidence(rows: Rows) -> list[dict[str, Any]]:
    with rows.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM consents ORDER BY id").fetchall()
