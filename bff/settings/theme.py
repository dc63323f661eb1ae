"""The merchant's own look, as TOML in the setting or in a file: docs/theme.md tells every key.

Nothing in it is secret, and nothing else of it is repeated in a refusal than colours.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from bff.errors import SettingsError
from bff.settings.contrast import contrast, nearest
from bff.settings.palette import ROLES, SCHEMES, Faint, Palette, Scheme, complete, faint_pairs
from bff.settings.theme_keys import KEYS, STACKS, Density, is_address
from bff.settings.toml import is_toml, tables_in, text_of

SETTING = "THEME"
MOST_BYTES = 1_000_000
# On the dark ground, a colour that was given for the light alone is made this much lighter.
LIFTED = 7.0


class File(msgspec.Struct, frozen=True):
    """A file of the merchant's that we serve, under a name of ours."""

    name: str
    content: bytes


class Logo(NamedTuple):
    """Pictures for light and for dark, and the size at which they are shown, in CSS pixels."""

    light: File | str
    dark: File | str | None
    width: int
    height: int


class Theme(msgspec.Struct, frozen=True, kw_only=True):
    """`palettes` are complete. A picture is a file or an https address; `fonts` are names of STACKS or files."""

    palettes: Mapping[Scheme, Palette]
    radius: int
    density: Density
    fonts: Mapping[str, str | File]
    logo: Logo | None
    hero: File | str | None
    icon: File | None
    touch_icon: File | None
    links: Mapping[str, str]
    pictures: Mapping[str, File | str]
    picture_hosts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Theme {' '.join(self.palettes)}>"

    @property
    def files(self) -> list[File]:
        given = [*self.fonts.values(), *(self.logo or ())[:2], self.hero, self.icon, self.touch_icon]
        return [each for each in (*given, *self.pictures.values()) if isinstance(each, File)]


def read_theme(toml_or_path: str) -> Theme:
    """The theme in a TOML text, or in the TOML file at that path, from whose folder its own files are found; ours in an
    empty text. Raises SettingsError that names the key or the pair of colours, and the remedy."""
    folder = Path() if is_toml(toml_or_path) else Path(toml_or_path).parent
    tables = tables_in(SETTING, text_of(SETTING, toml_or_path))
    given = dict(_flat(tables))
    for key, value in given.items():
        _check(key, value)
    return _theme(given, folder)


def _flat(table: Mapping[str, Any], *above: str) -> Iterator[tuple[str, Any]]:
    """Every value under its dotted key; pictures are named by ids, which may have dots."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, *above, key)
        else:
            yield ".".join((*above, key)), value


def _check(key: str, value: Any) -> None:
    known = "pictures.of" if key.startswith("pictures.of.") else key
    if known not in KEYS:
        (like,) = difflib.get_close_matches(key, KEYS, n=1) or ("",)
        raise SettingsError(
            SETTING, f"has a key that there is not; {f'is {like} meant?' if like else 'see docs/theme.md.'}"
        )
    remedy, fits = KEYS[known]
    if not fits(value):
        raise SettingsError(SETTING, f"{known}: {remedy}.")


def _theme(given: Mapping[str, Any], folder: Path) -> Theme:
    def source(key: str, name: str | None = None) -> Any:
        return _source(given[key], folder, name or key.replace(".", "-")) if key in given else None

    of = {key.removeprefix("pictures.of."): key for key in given if key.startswith("pictures.of.")}
    theme = Theme(
        palettes=_palettes(given),
        radius=given.get("radius", 20),
        density=given.get("density", "comfortable"),
        fonts=_fonts(source),
        logo=_logo(given, source),
        hero=source("hero.picture"),
        icon=source("icon.svg"),
        touch_icon=source("icon.png"),
        links={key.removeprefix("links."): given[key] for key in given if key.startswith("links.")},
        pictures={name: source(key, f"picture-{number}") for number, (name, key) in enumerate(of.items(), 1)},
    )
    shown = (value for key, value in given.items() if not key.startswith("links.") and is_address(value))
    hosts = [*given.get("pictures.hosts", ()), *map(_origin, shown)]
    return msgspec.structs.replace(theme, picture_hosts=tuple(dict.fromkeys(hosts)))


def _palettes(given: Mapping[str, Any]) -> dict[Scheme, Palette]:
    """Raises SettingsError for the first pair of colours that is too hard to tell apart."""
    own = {
        scheme: {role: given[key].lower() for role in ROLES if (key := f"{scheme}.{role}") in given}
        for scheme in SCHEMES
    }
    schemes = [scheme for scheme in SCHEMES if scheme in given.get("schemes", SCHEMES)]
    if "accent" in own["light"]:
        own["dark"] = {"accent": _lifted(own["light"]["accent"], complete(own["dark"], "dark")), **own["dark"]}
    for scheme in schemes:
        for faint in faint_pairs(own[scheme], scheme):
            raise SettingsError(SETTING, _explained(scheme, faint))
    return {scheme: complete(own[scheme], scheme) for scheme in schemes}


def _lifted(accent: str, dark: Palette) -> str:
    grounds = dark["page"], dark["card"]
    found = nearest(accent, lambda colour: all(contrast(colour, ground) >= LIFTED for ground in grounds))
    return found or dark["accent"]


def _explained(scheme: Scheme, faint: Faint) -> str:
    ink, ground = (f"{role} {faint.palette[role]}" for role in (faint.ink, faint.ground))
    remedy = f"{faint.instead} is the nearest that has" if faint.instead else f"give another {faint.ground}"
    return f"{scheme}.{ink} on {ground}: the contrast is {faint.ratio:.2f}:1, and {faint.least}:1 is needed; {remedy}."


def _fonts(source: Callable[[str], Any]) -> dict[str, str | File]:
    text = source("fonts.text") or "system"
    return {"text": text, "display": source("fonts.display") or text}


def _logo(given: Mapping[str, Any], source: Callable[[str], Any]) -> Logo | None:
    needed = ("logo.light", "logo.width", "logo.height")
    if not any(key.startswith("logo.") for key in given):
        return None
    if missing := [key for key in needed if key not in given]:
        raise SettingsError(SETTING, f"{missing[0]} is missing; a logo has {', '.join(needed)} and perhaps logo.dark.")
    return Logo(source("logo.light"), source("logo.dark"), given["logo.width"], given["logo.height"])


def _source(value: str, folder: Path, name: str) -> File | str:
    """A file's content under a name of ours; an address and the name of a stack stay what they are."""
    if is_address(value) or value in STACKS:
        return value
    path = folder / value
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise SettingsError(SETTING, f"{name}: the file cannot be read ({type(error).__name__}).") from None
    if len(content) > MOST_BYTES:
        raise SettingsError(SETTING, f"{name}: give a file of {MOST_BYTES // 1000} kB at most.")
    return File(f"theme-{name}{path.suffix.lower()}", content)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
