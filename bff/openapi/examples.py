"""True-to-life values of bodies and problems."""

from typing import Any

import msgspec

from bff.api.endpoint import Endpoint
from bff.errors import RETRYABLE, STATUS, TITLES, Code
from bff.openapi.components import JsonSchema
from bff.openapi.meanings import meaning_of
from bff.schemas.base import ProblemDetails

REQUEST_ID = "5f0c9d3a7b1e4c68a2d4f6b80e913c57"


def example_of(endpoint: Endpoint, body: Any, status: int | None = None) -> Any:
    """A value of a body of this type, the endpoint's own where it has one."""
    own = None if status is None else endpoint.examples.get(status)
    return msgspec.to_builtins(own or getattr(body, "__origin__", body).example())


def problem_example(code: Code, status: int, base_url: str) -> JsonSchema:
    meaning = meaning_of(code, status)
    problem = ProblemDetails(
        type=f"{base_url}/problems/{code}",
        title=TITLES[code],
        status=status,
        detail=meaning.detail,
        code=code,
        request_id=REQUEST_ID,
        retryable=code in RETRYABLE,
    )
    return {"summary": meaning.when, "value": msgspec.to_builtins(problem)}


def problem_name(code: Code, status: int) -> str:
    """The name of this problem's example, and of the response that is nothing else."""
    return code if STATUS[code] == status else f"{code}-{status}"
