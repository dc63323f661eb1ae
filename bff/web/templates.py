"""The templates, and what they know of the service itself; what they know of a request comes with each rendering."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bff.languages.catalogues import Catalogues, Words, own_name
from bff.languages.negotiation import match
from bff.languages.places import as_markup
from bff.schemas.member import Birthday
from bff.schemas.money import Money
from bff.settings.settings import Settings
from bff.web.assets import Assets
from bff.web.compiling import Templates
from bff.web.look import globals_of
from bff.web.paths import Paths
from bff.web.spans import near

# So many languages vendors answer in are remembered.
FEW = 64
FOLDER = Path(__file__).resolve().parents[2] / "templates"


def make_templates(
    settings: Settings, paths: Paths, assets: Assets, catalogues: Catalogues
) -> Callable[[str], Environment]:
    """For each language that there is, Jinja with everything that can be forgotten made an error; made when it is first
    asked for.

    The parts are imported once and not for each page, so a global here says nothing of a request.
    """

    def asset(name: str) -> str:
        return f"{settings.base_path}/static/{assets.by_name[name].address}"

    look = globals_of(settings, asset)
    links = [(tag, own_name(tag)) for tag in catalogues.tags]

    @cache
    def in_language(tag: str) -> Environment:
        words = catalogues.words(tag)

        @lru_cache(FEW)
        def speaks(language: str | None) -> Markup:
            """The attribute of what is known to be in another language than the page (WCAG 2.2 §3.1.2)."""
            is_other = language is not None and match(language, [words.language]) is None
            return Markup(' lang="{}"').format(language) if is_other else Markup()

        environment = Templates(
            lambda text: as_markup(words.text(text), text),
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters |= _filters(words)
        environment.filters["near"] = near
        environment.globals |= _texts(words)
        environment.globals |= {
            "lang": words.tag,
            "speaks": speaks,
            "of_the_store": speaks(settings.default_language),
            "dir": words.direction,
            "languages": links,
            "brand": settings.brand_name,
            "has_retailers": settings.subtotal.api_key is not None,
            "path_for": paths.path_for,
            "asset": asset,
            "has_page": paths.has,
            **look,
        }
        return environment

    return in_language


def _texts(words: Words) -> dict[str, Callable[..., Markup]]:
    """gettext for templates. Jinja's own takes four calls where this is one, and a page has sixty texts."""

    def filled(text: str, **values: object) -> Markup:
        """A text of ours that is translated already and is markup, with values that are escaped."""
        if values:
            text %= {name: escape(value) for name, value in values.items()}
        return Markup(text)  # noqa: S704  # Escaped but for the tags of our own text.

    def gettext(text: str, **values: object) -> Markup:
        return filled(as_markup(words.text(text), text), **values)

    def ngettext(one: str, many: str, number: int, **values: object) -> Markup:
        text = as_markup(words.plural(one, many, number), many)
        return filled(text, num=words.formats.number(number), **values)

    return {"_": gettext, "filled": filled, "ngettext": ngettext}


def _filters(words: Words) -> dict[str, Callable[..., str]]:
    formats = words.formats

    def money(amount: Money) -> str:
        return formats.money(amount.value, amount.currency_code)

    def date(moment: datetime) -> str:
        return formats.day(moment)

    def birthday(told: Birthday) -> str:
        return formats.birthday(told.day, told.month)

    return {
        "points": formats.number,
        "money": money,
        "date": date,
        "month": formats.month,
        "percent": formats.percent,
        "factor": formats.factor,
        "month_name": formats.month_name,
        "birthday": birthday,
    }
