"""What is the same for everybody is rendered once, and then sent as it is: the same bytes, the same entity tag."""

import hashlib
import re

import pytest
from support.every_route import DOCS
from support.services import Service
from support.shopper import Shopper

from bff.program.catalogue import MAX_LOCALISED
from bff.program.rendered import RenderedResponses

DOCUMENTS = (DOCS, "/api/v1/openapi.json", "/problems/not_found", "/problems/rate_limited")
REQUEST_ID = "the-request-that-is-the-first-of-all"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_rendered_once_in_the_life_of_a_process(service: Service, path: str) -> None:
    ella, stranger = service.signed_in("ella"), service.shopper()
    first = ella.request("GET", path)
    again = [visitor.request("GET", path) for visitor in (stranger, ella, stranger)]
    assert "render;" in first.headers["server-timing"]
    assert ["render;" in reply.headers["server-timing"] for reply in again] == [False] * 3
    assert {reply.content for reply in again} == {first.content}
    assert {reply.headers["etag"] for reply in again} == {first.headers["etag"]}
    assert first.headers["etag"].startswith(f'"{hashlib.sha256(first.content).hexdigest()[:32]}')


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_says_nothing_of_the_request_that_it_was_rendered_for(service: Service, path: str) -> None:
    reply = service.signed_in("ella").request("GET", path, headers={"x-request-id": REQUEST_ID})
    nonces = re.findall(r"'nonce-(.+?)'", reply.headers["content-security-policy"])
    assert reply.headers["x-request-id"] == REQUEST_ID
    assert [secret for secret in (REQUEST_ID, *nonces) if secret in reply.text] == []
    assert not re.search(r"nonce=|<form|name=\"csrf\"", reply.text)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_sent_again_only_to_those_who_do_not_have_it(shopper: Shopper, path: str) -> None:
    whole = shopper.request("GET", path)
    etag = whole.headers["etag"]
    for known in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        reply = shopper.request("GET", path, headers={"if-none-match": known})
        assert (reply.status_code, reply.content) == (304, b""), known
        assert {name: reply.headers[name] for name in ("etag", "cache-control")} == {
            "etag": etag,
            "cache-control": whole.headers["cache-control"],
        }
        assert "content-type" not in reply.headers
    for unknown in ("", '"another"', etag.strip('"')):
        reply = shopper.request("GET", path, headers={"if-none-match": unknown})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (200, whole.content, etag), unknown


def test_a_problem_that_there_is_not_is_kept_by_nobody(shopper: Shopper) -> None:
    for number in range(3):
        reply = shopper.request("GET", f"/problems/made_up_{number}")
        assert (reply.status_code, reply.headers["cache-control"]) == (404, "private, no-store")
        assert "etag" not in reply.headers


def test_answers_in_a_locale_make_room_for_each_other_and_never_push_out_the_rest() -> None:
    rendered, renders = RenderedResponses(), list[str]()

    def ask(name: str, language: str = "", asked_at: float = 1.0) -> None:
        def render() -> bytes:
            renders.append(name + language)
            return name.encode()

        rendered.of(name, render, asked_at=(asked_at,), locale={"language": language} if language else {})

    ask("docs")
    for number in range(MAX_LOCALISED + 1):
        ask("rewards", str(number))
    renders.clear()
    ask("docs")
    ask("rewards", "1")
    assert renders == []
    ask("rewards", "0")
    ask("rewards", "1")
    assert renders == ["rewards0"]
    ask("docs", asked_at=2.0)
    assert renders == ["rewards0", "docs"]
