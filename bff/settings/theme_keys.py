"""Every key of a theme: what to write there, and whether a value is that."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast, get_args

from bff.settings.palette import ROLES, SCHEMES

Density = Literal["comfortable", "compact"]
STACKS: Mapping[str, str] = {
    "system": 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
    "humanist": 'Optima, Candara, "Gill Sans", "Noto Sans", "Trebuchet MS", sans-serif',
    "geometric": 'Avenir, "Avenir Next", Montserrat, "Century Gothic", Futura, sans-serif',
    "rounded": 'ui-rounded, "SF Pro Rounded", "Hiragino Maru Gothic ProN", Quicksand, Nunito, sans-serif',
    "serif": 'Charter, "Iowan Old Style", Cambria, Georgia, "Noto Serif", serif',
}
PICTURES, FONTS = (".svg", ".png", ".jpg", ".jpeg", ".webp", ".avif"), (".woff2",)


def is_address(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"https://[a-z0-9.-]+(:\d{1,5})?/[!#-&(-:=?-~]*", value))


def _is_host(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+", value))


def _is_file(value: Any, suffixes: tuple[str, ...]) -> bool:
    return isinstance(value, str) and "\0" not in value and value.lower().endswith(suffixes) and "://" not in value


def _is_picture(value: Any) -> bool:
    return is_address(value) or _is_file(value, PICTURES)


def _is_font(value: Any) -> bool:
    return (isinstance(value, str) and value in STACKS) or _is_file(value, FONTS)


def _is_link(value: Any) -> bool:
    return is_address(value) or (
        isinstance(value, str) and bool(re.fullmatch(r"mailto:[\w.+-]+@[\w-]+(\.[\w-]+)+", value, re.ASCII))
    )


def _is_whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _is_some_of(words: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(each in words for each in value)


def _is_colour(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"#[0-9a-fA-F]{6}", value))


Fits = Callable[[Any], bool]
PICTURE: tuple[str, Fits] = (f"give a file ({', '.join(PICTURES)}) or an https address", _is_picture)
FONT: tuple[str, Fits] = (f"give one of {', '.join(STACKS)}, or a .woff2 file", _is_font)
LINK: tuple[str, Fits] = ("give an https address with its path, or mailto: and an address", _is_link)
SIDE: tuple[str, Fits] = ("give CSS pixels, a whole number from 8 to 480", _is_whole(8, 480))
# What to write under each key, and whether a value is that.
KEYS: Mapping[str, tuple[str, Fits]] = {
    "schemes": ('give ["light", "dark"] or one of them', _is_some_of(cast(tuple[str, ...], SCHEMES))),
    **{f"{scheme}.{role}": ("give a colour such as #14594a", _is_colour) for scheme in SCHEMES for role in ROLES},
    "radius": ("give CSS pixels, a whole number from 0 to 32", _is_whole(0, 32)),
    "density": (f"give {' or '.join(get_args(Density))}", lambda value: value in get_args(Density)),
    "fonts.text": FONT,
    "fonts.display": FONT,
    "logo.light": PICTURE,
    "logo.dark": PICTURE,
    "logo.width": SIDE,
    "logo.height": SIDE,
    "hero.picture": PICTURE,
    "icon.svg": ("give an .svg file", lambda value: _is_file(value, (".svg",))),
    "icon.png": ("give a .png file, 180 pixels square", lambda value: _is_file(value, (".png",))),
    "links.terms": LINK,
    "links.privacy": LINK,
    "links.contact": LINK,
    "pictures.hosts": (
        "list origins such as https://cdn.shopify.com",
        lambda value: isinstance(value, list) and all(map(_is_host, value)),
    ),
    "pictures.of": PICTURE,
}
