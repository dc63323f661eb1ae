"""What a client sent, read strictly: JSON, forms, and where it wants to go afterwards."""

import json
import math
import re
from collections.abc import Callable, Set
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec
from email_validator import EmailNotValidError, validate_email
from starlette.requests import Request

from bff.errors import Problem
from bff.schemas.requests import CART_ID
from bff.settings.locales import COUNTRIES, CURRENCIES, LANGUAGES, read_language_tag
from bff.settings.settings import Settings
from bff.settings.sites import origin_of
from bff.vendors.okendo.row import Locale
from bff.web.fields import field
from bff.web.state import StateT

# Addresses with campaign parameters are long; most browsers and proxies take 2 KB.
RETURN_TO_LONGEST = 2048
JSON_DEPTH = 16
JSON_WHOLE = 2**53
FORM_FIELDS = 16
PAGE = 25
# What an Idempotency-Key looks like, and so what names a redemption.
KEY = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
ACCEPTED_LANGUAGES = 20
# A discount code has no more characters at Shopify.
CODE_LONGEST = 255
# Below the base path: what only makes sense once, or is no page; nobody is sent back there after signing in.
NOT_A_RETURN_TARGET = re.compile(
    r"/((login|callback|logout|logout/continue|signed-out|session/continue)/?$|(static|api|webhooks)(/|$))"
)
# What no address may hold as it is: controls, spaces, backslashes and what is not ASCII.
UNSAFE_IN_ADDRESS = re.compile(r"[^\x21-\x5b\x5d-\x7e]")
# What no path may hold encoded: controls, dots, slashes and backslashes.
UNSAFE_IN_PATH = re.compile(r"%(0|1|2[eEfF]|5[cC]|7[fF])")
Body = TypeVar("Body")


async def read_json(request: Request[Any], shape: type[Body]) -> Body:
    """The body as this shape; raises Problem `invalid_request` for anything but strict JSON of exactly this shape."""
    try:
        value = json.loads(
            (await request.body()).decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_int=_whole,
            parse_float=_finite,
        )
        _check_strings(value, 0)
        return msgspec.convert(value, shape, strict=True)
    except msgspec.ValidationError as error:
        # msgspec names the field and the type that was expected, never the value.
        raise Problem("invalid_request", "The body is not as documented: %(why)s.", values={"why": error}) from None
    except (ValueError, RecursionError):
        raise Problem("invalid_request", "The body is not valid JSON (RFC 8259, UTF-8, no duplicate names).") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _refuse(_: str) -> Any:
    raise ValueError


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > JSON_WHOLE:
        raise ValueError
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number


def _check_strings(value: Any, depth: int) -> None:
    if depth > JSON_DEPTH:
        raise ValueError
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, list | dict):
        inner = value if isinstance(value, list) else [*value.keys(), *value.values()]
        for item in inner:
            _check_strings(item, depth + 1)


async def read_form(request: Request[Any]) -> dict[str, str]:
    """An urlencoded form with each field at most once; raises Problem `invalid_request`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem("invalid_request", "Send the form as application/x-www-form-urlencoded.", status=415)
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict")
        return _unique(pairs)
    except ValueError:
        raise Problem("invalid_request", "The form could not be read.") from None


def read_return_to(settings: Settings, given: str | None) -> str:
    """Where to go after signing in: a path of ours or an address of the storefront, else our overview (F1).

    A path must mean the same to everybody who reads it, so nothing in it may be encoded that could change its meaning;
    a query may hold anything that is encoded.
    """
    home = settings.base_path + "/"
    if not given or len(given) > RETURN_TO_LONGEST or UNSAFE_IN_ADDRESS.search(given):
        return home
    parts = urlsplit(given)
    if UNSAFE_IN_PATH.search(parts.path):
        return home
    is_below = parts.path == settings.base_path or parts.path.startswith(home)
    if parts.scheme or parts.netloc:
        return given if _may_return_to(settings, parts, is_below=is_below) else home
    is_path = re.match(r"/(?!/)", given) and ".." not in parts.path and "//" not in parts.path
    return given if is_path and is_below and not _is_passing(settings, parts.path) else home


def storefront_in(settings: Settings, address: str | None) -> str | None:
    """The storefront whose address this is; None when it is no allowed one's."""
    origin = origin_of(address or "")
    return origin if settings.is_storefront(origin) else None


def _may_return_to(settings: Settings, parts: SplitResult, *, is_below: bool) -> bool:
    """Whether an absolute address leads to a storefront that is allowed, and to no address of ours that is no page."""
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin == settings.origin and is_below and _is_passing(settings, parts.path):
        return False
    return settings.is_storefront(origin)


def _is_passing(settings: Settings, path: str) -> bool:
    """Whether it is an address of ours that only makes sense once, or is no page."""
    return NOT_A_RETURN_TARGET.match(unquote(path)[len(settings.base_path) :]) is not None


def idempotency_key(given: str | None) -> str:
    """An Idempotency-Key, bare or as a quoted string (draft-ietf-httpapi-idempotency-key-header §2.1).

    Raises Problem `idempotency_key_missing` or `invalid_request`.
    """
    if not given:
        raise Problem("idempotency_key_missing", "Send an Idempotency-Key of 16 to 64 letters, digits, - or _.")
    bare = given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given
    if not KEY.fullmatch(bare):
        raise Problem("invalid_request", "An Idempotency-Key has 16 to 64 letters, digits, - or _.")
    return bare


def redemption_key(request: Request[Any]) -> str:
    """The key in the path, under which a redemption was asked for; raises Problem `not_found` for what is none."""
    key = str(request.path_params["key"])
    if not KEY.fullmatch(key):
        raise Problem("not_found", "There is no redemption under this address.")
    return key


def coupon_code(request: Request[Any]) -> str:
    """The code in the path; raises Problem `not_found` for what no coupon can have."""
    code = str(request.path_params["code"])
    if len(code) > CODE_LONGEST or not code.isprintable():
        raise Problem("not_found", "There is no such coupon in this wallet.")
    return code


def read_cart_id(given: str) -> str:
    """A cart's id as Shopify writes it, of whose key nothing is known; raises Problem `invalid_request`."""
    if not re.fullmatch(CART_ID, given, re.ASCII):
        raise Problem("invalid_request", "cartId is no id of a cart, such as gid://shopify/Cart/…?key=….")
    return given


def read_bare_cart_id(request: Request[Any]) -> str | None:
    """`cartId` of the query, None when it is absent; raises Problem `invalid_request`, also where it has its key: that
    is a secret, and addresses are written down in many places."""
    given = request.query_params.get("cartId")
    if given is not None and "?" in given:
        raise Problem("invalid_request", "Leave the key out of cartId here: send what stands before the question mark.")
    return None if given is None else read_cart_id(given)


def read_email(given: str) -> str:
    """One address, normalised, an international domain as an A-label (checklist H6).

    Raises Problem `invalid_email`.
    """
    try:
        if len(given) > 254 or not given.isprintable():
            raise EmailNotValidError
        found = validate_email(given.strip(" "), check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise Problem("invalid_email", "Please check the email address.") from None
    return found.ascii_email or found.normalized


def read_locale(request: Request[Any]) -> Locale:
    """`locale` (BCP 47, as shops write it), `country` and `currency` of the query, as Okendo writes them.

    Without a `locale` the language is what the browser prefers, if it says. Raises Problem `invalid_request` for what
    is malformed, and for a language, country or currency that does not exist: each would be a question of its own to
    the vendor, and a copy of its own.
    """
    found: Locale = {}
    given = request.query_params.get("locale")
    tag = None if given is None else read_language_tag(given)
    if given is not None and tag is None:
        raise Problem("invalid_request", "The query parameter locale is malformed, or names no language there is.")
    language = tag.language if tag else preferred_language(field(request.scope, b"accept-language") or "")
    country = _known(request, "country", str.lower, COUNTRIES) or (tag.country if tag else "")
    currency = _known(request, "currency", str.upper, CURRENCIES)
    if language:
        found["language"] = language
    if country:
        found["country"] = country
    if currency:
        found["currency"] = currency
    return found


def _known(request: Request[Any], name: str, as_written: Callable[[str], str], known: Set[str]) -> str | None:
    given = request.query_params.get(name)
    if given is None:
        return None
    if not given.isascii() or as_written(given) not in known:
        raise Problem(
            "invalid_request",
            "The query parameter %(name)s is malformed, or names nothing there is.",
            values={"name": name},
        )
    return as_written(given)


@lru_cache(256)
def preferred_language(accepted: str) -> str | None:
    """The language that Accept-Language likes best (RFC 9110 §12.5.4), None when it names none that there is."""
    accepted_languages: list[tuple[float, str]] = []
    for entry in accepted.split(",")[:ACCEPTED_LANGUAGES]:
        form = re.fullmatch(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?(?:;q=([01](?:\.\d{0,3})?))?", entry.replace(" ", ""))
        if form and float(form[2] or 1) > 0 and form[1].lower() in LANGUAGES:
            accepted_languages.append((float(form[2] or 1), form[1].lower()))
    return max(accepted_languages, key=lambda language: language[0])[1] if accepted_languages else None


def read_limit(request: Request[Any]) -> int:
    """`limit` of the query, 1 to 100, 25 when it is absent; raises Problem `invalid_request`."""
    given = _matching(request, "limit", r"[1-9]\d?|100")
    return int(given) if given else PAGE


def _matching(request: Request[Any], name: str, form: str) -> str | None:
    given = request.query_params.get(name)
    if given is not None and not re.fullmatch(form, given, re.ASCII):
        raise Problem("invalid_request", "The query parameter %(name)s is malformed.", values={"name": name})
    return given


def absolute_return_to(request: Request[StateT], given: str | None) -> str:
    """Absolute, since Subtotal sends the browser there; never a foreign address (F1)."""
    settings = request.state["settings"]
    if given is None:
        return f"{settings.base_url}/retailers?linked=1"
    accepted = read_return_to(settings, given)
    return accepted if "://" in accepted else settings.origin + accepted
