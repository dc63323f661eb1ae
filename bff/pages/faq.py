"""Questions and answers, each at an address of its own, and a search that needs no script."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bff.members.partial import or_none
from bff.pages.sections import ProgramPageState, ProgramT
from bff.schemas.program import Faq
from bff.vendors.sanitize import plain_words, without_controls
from bff.web.language import locale_of
from bff.web.responses import page, trusted
from bff.web.visitor import open_session

LONGEST_SEARCH = 100
LONGEST_ANCHOR = 60
NOT_A_WORD = re.compile(r"\W+")


class Question(NamedTuple):
    """`anchor` is the id of the answer, the same as long as the question is worded so; `words` are those looked in, and
    `language` is theirs, None where nobody knows."""

    anchor: str
    question: str
    answer: Markup
    words: str
    language: str | None


async def faq(request: Request[ProgramPageState]) -> Response:
    open_session(request)
    found = await or_none(request.state["catalogue"].faqs(locale_of(request)))
    sought = without_controls(request.query_params.get("q", "").strip())[:LONGEST_SEARCH]
    questions = None if found is None else list(_questions(*found))
    matching = [one for one in questions or () if _has(one, sought)]
    is_told = request.state["settings"].structured_data and not sought
    structured = _structured(found[0]) if is_told and found and found[0] else None
    return page(request, "faq.html", questions=questions, matching=matching, sought=sought, structured=structured)


async def few_questions(request: Request[ProgramT], most: int) -> list[Question] | None:
    """The first ones; None when they cannot be read. For none of them nobody is asked."""
    found = await or_none(request.state["catalogue"].faqs(locale_of(request))) if most else ([], None)
    return None if found is None else list(_questions(*found))[:most]


def _structured(faqs: list[Faq]) -> dict[str, object]:
    """The same questions for search engines (schema.org/FAQPage)."""
    answered = [
        {"@type": "Question", "name": one.question, "acceptedAnswer": {"@type": "Answer", "text": one.answer_html}}
        for one in faqs
    ]
    return {"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": answered}


def _questions(faqs: Iterable[Faq], language: str | None) -> Iterable[Question]:
    """Those that have words: of some a vendor's text leaves none when its markup is taken off."""
    taken: set[str] = set()
    for one in (one for one in faqs if one.question):
        anchor = _anchor(one.question, taken)
        taken.add(anchor)
        words = f"{one.question} {plain_words(one.answer_html)}".casefold()
        yield Question(anchor, one.question, trusted(one.answer_html), words, language)


def _anchor(question: str, taken: set[str]) -> str:
    """Made of its words in whatever script; a number tells apart those that are worded alike."""
    bare = "faq-" + NOT_A_WORD.sub("-", question.casefold()).strip("-")[:LONGEST_ANCHOR].strip("-")
    number, anchor = 1, bare
    while anchor in taken:
        number += 1
        anchor = f"{bare}-{number}"
    return anchor


def _has(one: Question, sought: str) -> bool:
    """Whether every word that is sought is in the question or in its answer."""
    return all(word in one.words for word in sought.casefold().split())
