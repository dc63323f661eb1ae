"""An endpoint that will go says so on every answer, and in the document."""

from collections.abc import Mapping
from datetime import date

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support.proxied_service import with_a_route

from bff.api.deprecation import Deprecation
from bff.api.endpoint import PREFIX, PUBLIC_FAILS, Endpoint, checked_handler
from bff.api.program import ProgramState
from bff.errors import Problem
from bff.openapi.document import document
from bff.schemas.program import Faqs
from bff.web.responses import reply

SHOP = "http://localhost:3000"


async def list_old_faqs(request: Request[ProgramState]) -> Response:
    if request.query_params.get("locale"):
        raise Problem("not_found", "There is nothing in this language.")
    return reply(Faqs([]))


OLD = Endpoint(
    method="GET",
    path="/old-faqs",
    handler=list_old_faqs,
    summary="Questions and answers",
    who="anyone",
    answers={200: Faqs},
    refuses=("not_found", *PUBLIC_FAILS),
    query=("locale",),
    deprecated=Deprecation(since=date(2026, 1, 1), sunset=date(2026, 7, 1), instead="Call `GET /faqs`."),
)


@pytest.mark.parametrize(("query", "status"), [("", 200), ("?locale=fr", 404), ("?unknown=1", 400)])
def test_every_answer_says_that_the_endpoint_will_go(settings: Mapping[str, str], query: str, status: int) -> None:
    route = Route(PREFIX + OLD.path, checked_handler(OLD))
    with with_a_route(settings, route) as url, httpx2.Client(trust_env=False, timeout=20) as http:
        answer = http.get(f"{url}/api/v1/old-faqs{query}", headers={"origin": SHOP})
        assert answer.status_code == status
        assert answer.headers["deprecation"] == "@1767225600"
        assert answer.headers["sunset"] == "Wed, 01 Jul 2026 00:00:00 GMT"
        assert answer.headers["link"] == f'<{url}/api/v1/docs>; rel="deprecation"; type="text/html"'
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"Deprecation", "Sunset", "Link"} <= set(exposed)
        others = http.get(f"{url}/api/v1/faqs").headers
        assert not {"deprecation", "sunset", "link"} & set(others)


def test_the_document_says_it_too() -> None:
    described = document([OLD], "https://loyalty.example.com")["paths"]["/api/v1/old-faqs"]["get"]
    assert described["deprecated"] is True
    assert described["description"].startswith("Deprecated: it is there until 2026-07-01. Call `GET /faqs`.")
    for status in ("200", "404"):
        assert {"Deprecation", "Sunset", "Link"} <= set(described["responses"][status]["headers"]), status
