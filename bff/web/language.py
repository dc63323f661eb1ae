"""In which language somebody is answered: docs/decisions/languages.md."""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from bff.languages.catalogues import SOURCE, Words
from bff.languages.negotiation import accepted, match
from bff.vendors.okendo.languages import NO_LOCALE
from bff.vendors.okendo.row import Locale
from bff.web.cookies import cookies_named, language_cookie, set_cookie
from bff.web.fields import field
from bff.web.state import StateT

# Of a link to another language: any page's address takes it.
LINK = "lang"
CHOICE_SECONDS = 31_536_000


class Spoken(NamedTuple):
    """The language of an answer, as a tag; `is_asked` unless it is only what everybody is answered in."""

    tag: str
    is_asked: bool


def words_for(request: Request[StateT]) -> Words:
    return request.state["catalogues"].words(spoken_in(request).tag)


def spoken_in(request: Request[StateT]) -> Spoken:
    """What was chosen by a link, now or before, else what the browser prefers, else the default. A program's language
    is that of its Accept-Language alone."""
    scope = request.scope
    if "spoken" not in scope:
        is_page = not (scope["is_api"] or scope["is_webhook"])
        chosen = (chosen_now(request) or _chosen_before(request)) if is_page else None
        scope["spoken"] = Spoken(chosen, is_asked=True) if chosen else spoken_by(request)
    spoken: Spoken = scope["spoken"]
    return spoken


def spoken_by(request: Request[StateT]) -> Spoken:
    """The same by Accept-Language alone."""
    tags, header = request.state["catalogues"].tags, field(request.scope, b"accept-language")
    if header and (found := accepted(header, tags)):
        return Spoken(found, is_asked=True)
    return Spoken(match(request.state["settings"].default_language or SOURCE, tags) or SOURCE, is_asked=False)


def chosen_now(request: Request[StateT]) -> str | None:
    """The language of the link that was followed to this page."""
    if b"lang=" not in request.scope["query_string"] or request.scope["is_api"]:
        return None
    return match(request.query_params.get(LINK, ""), request.state["catalogues"].tags)


def _chosen_before(request: Request[StateT]) -> str | None:
    given = cookies_named(request, language_cookie(request.state["settings"]))
    return given[0] if len(given) == 1 and given[0] in request.state["catalogues"].tags else None


def remember_choice(request: Request[StateT], response: Response) -> None:
    """The language of the link that led here is the choice from now on."""
    if chosen := chosen_now(request):
        settings = request.state["settings"]
        set_cookie(response, settings, language_cookie(settings), chosen, CHOICE_SECONDS)


def locale_of(request: Request[StateT]) -> Locale:
    """How a page asks Okendo for words: in its own language, where that was asked for."""
    return Locale(language=words_for(request).language) if spoken_in(request).is_asked else NO_LOCALE
