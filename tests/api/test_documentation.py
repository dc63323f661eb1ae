"""What storefront developers read: examples that are true, every code, every header; as a page and as a file."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from support.every_route import DOCS
from support.json_schema import resolved
from support.page_rules import markup_of
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Service, Start
from support.shopper import Page, Shopper

from api.test_openapi import PREFIX, answers_of, operations, problems_of
from bff.cli import EXAMPLE_URL
from bff.errors import CODES, STATUS

KEPT = ROOT / "docs" / "openapi.json"
FINER = {(status, "invalid_request") for status in ("403", "405", "408", "413", "415")}
FINER |= {("503", "upstream_unavailable"), ("409", "csrf_refused")}
# What a storefront may build on, where it is sent.
MATTERING = {
    "age", "allow", "cache-control", "cache-status", "content-language", "etag", "idempotency-replayed", "location",
    "ratelimit", "ratelimit-policy", "retry-after", "server-timing", "set-cookie", "x-request-id",
}  # fmt: skip
RENEW = "docs/openapi.json is out of date: python -m bff openapi > docs/openapi.json"


@pytest.fixture(scope="module")
def document() -> Any:
    printed = bff({}, "openapi")
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


def flaws(value: Any, schema: Any, document: Any) -> list[str]:
    whole = {"components": document["components"], "allOf": [schema]}
    return [error.message for error in Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)]


def contents(document: Any) -> list[tuple[str, Any]]:
    """Every body that is documented, with where it is."""
    found = []
    for (method, path), operation in operations(document).items():
        holders = {"body": operation.get("requestBody", {}), **answers_of(operation, document)}
        for name, holder in holders.items():
            found += [(f"{method} {path} {name}", content) for content in holder.get("content", {}).values()]
    return found


def test_every_body_has_examples_and_all_of_them_fit_their_schema(document: Any) -> None:
    assert len(contents(document)) > 150
    for where, content in contents(document):
        assert content["examples"], where
        for example in content["examples"].values():
            value = resolved(example, document)["value"]
            assert value is not None, f"{where} needs an example() in its schema"
            assert flaws(value, content["schema"], document) == [], where


def test_every_parameter_has_an_example_that_fits_its_schema(document: Any) -> None:
    found = [one for operation in operations(document).values() for one in operation["parameters"]]
    for one in found:
        assert one["description"], one["name"]
        examples = [*one["schema"].get("examples", []), *([one["example"]] if "example" in one else [])]
        assert examples or one["name"] in {"cursor", "If-None-Match"}, one["name"]
        assert [flaw for example in examples for flaw in flaws(example, one["schema"], document)] == []


def test_every_code_of_a_route_stands_under_its_status_with_an_example(document: Any) -> None:
    for operation in operations(document).values():
        for status, code, example in problems_of(operation, document):
            assert (example["code"], str(example["status"])) == (code, status)
            assert f"`{code}`: " in answers_of(operation, document)[status]["description"]
            own = [str(STATUS[its]) for its in CODES if its == code]
            assert [status] == own or (status, code) in FINER


def test_what_the_gate_answers_is_documented_for_every_route(document: Any) -> None:
    for (method, path), operation in operations(document).items():
        writes = {"408", "413", "415"} if method != "GET" else set()
        assert writes | {"400", "403", "405", "500"} <= operation["responses"].keys(), path
        assert bool({"408", "413", "415"} & operation["responses"].keys()) is bool(writes), path
        is_tagged = method == "GET" and operation["tags"] != ["Session"]
        assert ("304" in operation["responses"]) is is_tagged, path


def test_only_members_routes_demand_the_session_cookie_or_a_servers_handle(document: Any) -> None:
    schemes = document["components"]["securitySchemes"]
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "__Host-Http-loyalty")
    assert (schemes["tickets"]["type"], schemes["tickets"]["scheme"]) == ("http", "bearer")
    assert (schemes["csrf"]["in"], schemes["csrf"]["name"]) == ("header", "X-Loyalty-Csrf")
    assert (schemes["handle"]["in"], schemes["handle"]["name"]) == ("header", "X-Loyalty-Session")
    by_browser: dict[str, Any] = {"Session": [{}, {"session": []}], "Member": [{"session": []}]}
    handle: Any = {"handle": [], "tickets": []}
    by_server: dict[str, Any] = {"Server": [{"tickets": []}], "Session": [handle], "Member": [handle]}
    for (method, path), operation in operations(document).items():
        tag = operation["tags"][0]
        csrf: Any = {"csrf": []} if method != "GET" else {}
        # A handle begins no session in a browser.
        begins = (method, path) == ("POST", f"{PREFIX}/session")
        needed = [one | csrf for one in by_browser.get(tag, [])] + ([] if begins else by_server.get(tag, []))
        assert operation["security"] == needed, path
        assert (operation["tags"] == ["Member"]) is path.startswith(f"{PREFIX}/me"), path


def undeclared(reply: httpx2.Response, document: Any, path: str) -> set[str]:
    """The headers that matter to a storefront, as far as they are sent without being documented, or the reverse."""
    answer = answers_of(operations(document)[reply.request.method, path], document)[str(reply.status_code)]
    declared = {name.lower(): resolved(header, document) for name, header in answer["headers"].items()}
    required = {name for name, header in declared.items() if header.get("required")}
    return (required - reply.headers.keys()) | ((MATTERING & reply.headers.keys()) - declared.keys())


def test_the_headers_of_answers_are_as_documented(document: Any, service: Service) -> None:
    ella, zoe, stranger = service.signed_in("ella"), service.signed_in("zoe"), service.shopper()
    key = new_key()
    replies = [
        stranger.api(method, path.removeprefix(PREFIX)) for method, path in operations(document) if "{" not in path
    ]
    replies += [ella.api(method, path.removeprefix(PREFIX)) for method, path in operations(document) if "{" not in path]
    ella = service.signed_in("ella")
    replies += [redeem(ella, FIVE_OFF, key), redeem(ella, FIVE_OFF, key), redeem(zoe, FIVE_OFF, new_key())]
    etag = stranger.api("GET", "/program").headers["etag"]
    replies += [stranger.api("GET", "/program", if_none_match=etag), ella.api("GET", "/me/rewards")]
    for _ in range(21):
        replies.append(ella.api("PUT", "/me/birthday", {"day": 31, "month": 2}))
    assert {reply.status_code for reply in replies} >= {200, 201, 304, 400, 401, 422, 429}
    for reply in replies:
        path = reply.request.url.path
        assert undeclared(reply, document, path) == set(), f"{reply.request.method} {path} {reply.status_code}"
    redeemed = [reply for reply in replies if reply.status_code == 201]
    assert [reply.headers.get("idempotency-replayed") for reply in redeemed] == [None, "true"]


def test_the_answer_of_a_wrong_method_and_of_a_large_body_are_as_documented(document: Any, ella: Shopper) -> None:
    template = answers_of(operations(document)["POST", f"{PREFIX}/me/referrals"], document)
    wrong = ella.api("PATCH", "/me/referrals")
    large = ella.api("POST", "/me/referrals", {"email": "x" * 20_000})
    plain = ella.api("POST", "/me/referrals", content_type="text/plain")
    for reply, status in ((wrong, "405"), (large, "413"), (plain, "415")):
        assert str(reply.status_code) == status
        answer = template[status]
        assert flaws(reply.json(), answer["content"]["application/problem+json"]["schema"], document) == []
        required = {name for name, header in answer["headers"].items() if resolved(header, document).get("required")}
        assert required <= {name for name in required if name in reply.headers}
        assert reply.json()["code"] in answer["content"]["application/problem+json"]["examples"]


# The file


def test_the_document_that_is_kept_is_the_one_that_is_printed() -> None:
    assert KEPT.read_text("utf-8") == bff({}, "openapi").stdout, RENEW


def test_the_document_that_is_kept_names_no_address_but_the_example(document: Any) -> None:
    assert document["servers"] == [{"url": EXAMPLE_URL}]
    for url in re.findall(r"https?://[^\s\"'\\)]+", KEPT.read_text("utf-8")):
        assert urlsplit(url).hostname in {
            "loyalty.example.com",
            "shop.example.com",
            "social.example",
            "link.subtotal.example",
        }, url


# The page


@pytest.fixture
def page(shopper: Shopper) -> Page:
    return shopper.get(DOCS)


def test_the_page_shows_every_route_with_its_codes_and_a_call(page: Page, document: Any) -> None:
    assert (page.status, page.reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    cards = {card.attributes.get("id"): card.text for card in markup_of(page).all("section")}
    for (method, path), operation in operations(document).items():
        words = " ".join(cards[operation["operationId"]].split())
        assert f"{method} {path}" in words
        assert operation["summary"] in words
        for parameter in operation["parameters"]:
            assert parameter["name"] in words
        for status, code, _ in problems_of(operation, document):
            assert f"{status}{code}" in words.replace(" ", "")
        assert "fetch(" in words
        for status in operation["responses"]:
            assert status >= "400" or f"Answer {status}" in words


def test_the_page_has_examples_that_are_the_documents(page: Page, document: Any) -> None:
    shown = [json.loads(block.text) for block in markup_of(page).all("pre") if block.text.startswith("{")]
    for where, content in contents(document):
        if "example" in content["examples"]:
            assert content["examples"]["example"]["value"] in shown, where


def test_the_calls_on_the_page_can_be_made(page: Page, ella: Shopper) -> None:
    """Without running the script: method, address, headers and body are read from it."""
    calls = [block.text for block in markup_of(page).all("pre") if block.attributes.get("class") == "whole"]
    assert len(calls) > 20
    for call in sorted(calls, key=lambda call: '"DELETE"' in call):
        method = re.search(r'method: "(\w+)"', call)
        body = re.search(r"JSON.stringify\((.*)\),\n", call)
        line = call.partition("headers:")[2].partition("\n")[0]
        headers = dict(re.findall(r'"([\w-]+)": (?:"([^"]*)"|crypto)', line))
        if "Idempotency-Key" in headers:
            headers["Idempotency-Key"] = new_key()
        url = re.search(r'fetch\("([^"]+)"', call)
        assert url
        reply = ella.request(
            method[1] if method else "GET",
            url[1],
            headers={"origin": ella.base, **headers},
            **({"content": body[1]} if body else {}),
        )
        # The examples name things that the sandbox does not have; everything else about them is right.
        assert reply.status_code not in {400, 403, 405, 415}, call


def test_the_page_needs_no_script_and_no_other_host(page: Page) -> None:
    markup = markup_of(page)
    assert markup.all("script") == []
    loaded = [element.attributes["href"] for element in markup.all("link")]
    assert [address for address in loaded if urlsplit(address).netloc] == []
    assert markup.all("img", "iframe", "object", "embed", "style") == []


def test_the_page_is_the_same_for_everybody_and_may_be_kept(page: Page, ella: Shopper) -> None:
    mine = ella.request("GET", DOCS)
    assert mine.content == page.reply.content
    assert "set-cookie" not in mine.headers
    assert mine.headers["cache-control"].startswith("public, max-age=")
    again = ella.request("GET", DOCS, headers={"if-none-match": mine.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_document_is_confirmed_by_its_etag_as_well(shopper: Shopper) -> None:
    etag = shopper.api("GET", "/openapi.json").headers["etag"]
    assert shopper.api("GET", "/openapi.json", if_none_match=etag).status_code == 304


def test_the_page_follows_the_base_path(start: Start) -> None:
    service = start(BASE_PATH="/loyalty")
    page = service.shopper().get("/loyalty" + DOCS)
    assert page.status == 200
    assert f"{service.url}/loyalty/api/v1/me" in page.text
    assert all(link.startswith(("#", "/loyalty/", "http")) for link in page.read.links)


# Problem types -------------------------------------------------------------------------------------------------------


def test_the_type_of_every_problem_leads_to_a_page_about_it(service: Service, document: Any) -> None:
    stranger = service.shopper()
    for code in CODES:
        page = stranger.get(f"/problems/{code}")
        assert (page.status, page.heading) == (200, code.replace("_", " ").capitalize())
        assert page.reply.headers["cache-control"].startswith("public, max-age=")
        assert f'"code": "{code}"' in page.text
        assert str(STATUS[code]) in page.text
        again = stranger.request("GET", f"/problems/{code}", headers={"if-none-match": page.reply.headers["etag"]})
        assert again.status_code == 304
        routes = [link.partition("#")[2] for link in page.read.links if "/docs#" in link]
        refusing = {
            one["operationId"]
            for one in operations(document).values()
            if code in {found for _, found, _ in problems_of(one, document)}
        }
        assert set(routes) <= refusing, code
        assert routes, code


def test_what_is_no_problem_has_no_page(service: Service, shopper: Shopper) -> None:
    refused = shopper.api("GET", "/me").json()
    assert refused["type"] == f"{service.url}/problems/session_required"
    assert shopper.get(refused["type"]).heading == "Session required"
    for path in ("/problems/teapot", "/problems/", "/problems/session_required/more", "/problems/SESSION_REQUIRED"):
        assert shopper.get(path).status == 404
