"""The few pages the sandbox shows to people, from templates/sandbox."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, status: int = 200, **values: object) -> HTMLResponse:
    html = _TEMPLATES.get_template(f"sandbox/{name}.html").render(values)
    return HTMLResponse(html, status, headers={"cache-control": "no-store", "referrer-policy": "no-referrer"})
