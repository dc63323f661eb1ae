"""The merchant's look as files: what the style sheet, the icons and the manifest are made of for this theme."""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bff.settings.contrast import mixed
from bff.settings.palette import DEFAULTS, Palette, complete
from bff.settings.settings import Settings
from bff.settings.theme import File, Theme
from bff.settings.theme_keys import STACKS

# The touch icon is drawn in so many shades, from its ground to its ink.
SHADES = 16
GAPS = {"comfortable": "1", "compact": ".75"}
Address = Callable[[str, bytes], str]


def files_of(settings: Settings, folder: Path, address: Address) -> Mapping[str, bytes]:
    """Every file to serve, by name: ours as the theme has them, and the theme's own. `address` names a file after its
    content."""
    theme = settings.theme
    files = {path.name: path.read_bytes() for path in sorted(folder.glob("[!.]*")) if path.is_file()}
    files |= {file.name: file.content for file in theme.files}
    palette = theme.palettes.get("light") or theme.palettes["dark"]
    files["loyalty.css"] = (style_of(theme, address) + files["loyalty.css"].decode()).encode()
    files["icon.svg"] = theme.icon.content if theme.icon else _painted(files["icon.svg"], palette)
    files["touch-icon.png"] = (
        theme.touch_icon.content if theme.touch_icon else _tinted(files["touch-icon.png"], palette)
    )
    icons = {name: address(name, files[name]) for name in ("icon.svg", "touch-icon.png")}
    files["manifest.webmanifest"] = json.dumps(_manifest(settings, palette, icons)).encode()
    return files


def style_of(theme: Theme, address: Address) -> str:
    """The theme as custom properties, and its fonts; no rule of ours stands here."""
    first, *others = theme.palettes
    rules = [f":root{{color-scheme:{' '.join(theme.palettes)};{_properties(theme)}{_colours(theme.palettes[first])}}}"]
    rules += [f"@media(prefers-color-scheme:{each}){{:root{{{_colours(theme.palettes[each])}}}}}" for each in others]
    return f"@layer loyalty{{{''.join(rules)}}}{''.join(_faces(theme, address))}\n"


def _properties(theme: Theme) -> str:
    fonts = {"font": theme.fonts["text"], "display": theme.fonts["display"]}
    families = {role: _family(font) for role, font in fonts.items()}
    return "".join(f"--{name}:{value};" for name, value in (
        *families.items(), ("radius", f"{theme.radius / 16}rem"), ("density", GAPS[theme.density]),
    ))  # fmt: skip


def _colours(palette: Palette) -> str:
    return ";".join(f"--{role}:{colour}" for role, colour in palette.items())


def _family(font: str | File) -> str:
    return f'"{font.name}",{STACKS["system"]}' if isinstance(font, File) else STACKS[font]


def _faces(theme: Theme, address: Address) -> Iterator[str]:
    """Variable fonts, or ones with a single weight. Style sheet and fonts are in one folder."""
    for font in {file.name: file for file in theme.fonts.values() if isinstance(file, File)}.values():
        source = f'url({address(font.name, font.content)})format("woff2")'
        yield f'@font-face{{font-family:"{font.name}";src:{source};font-weight:100 900;font-display:swap}}'


def _painted(svg: bytes, palette: Palette) -> bytes:
    """Our icon, which is drawn in the colours of our own light theme, in those of this one."""
    own = complete(DEFAULTS["light"], "light")
    text = svg.decode().replace(own["brand-ink"], palette["brand-ink"])
    return text.replace(own["brand"], palette["brand"]).encode()


def _tinted(png: bytes, palette: Palette) -> bytes:
    """The same picture with another palette (PNG §11.2.2): its pixels are shades from ground to ink."""
    shades = [mixed(palette["brand-ink"], shade / (SHADES - 1), palette["brand"]) for shade in range(SHADES)]
    chunk = b"PLTE" + b"".join(bytes.fromhex(shade[1:]) for shade in shades)
    start = png.index(b"PLTE")
    return png[:start] + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[start + len(chunk) + 4 :]


def _manifest(settings: Settings, palette: Palette, icons: Mapping[str, str]) -> Mapping[str, object]:
    """https://www.w3.org/TR/appmanifest/; addresses of icons are relative to it."""
    home = f"{settings.base_path}/"
    return {
        "id": home,
        "name": settings.brand_name,
        "start_url": home,
        "scope": home,
        "display": "minimal-ui",
        "background_color": palette["page"],
        "theme_color": palette["page"],
        "icons": [
            {"src": icons["icon.svg"], "sizes": "any", "type": "image/svg+xml"},
            {"src": icons["touch-icon.png"], "sizes": "180x180", "type": "image/png"},
        ],
    }


def globals_of(settings: Settings, asset: Callable[[str], str]) -> dict[str, Any]:
    """What templates know of the theme. `asset` gives the address of a file by its name."""
    theme = settings.theme

    def source(picture: File | str | None) -> str | None:
        return asset(picture.name) if isinstance(picture, File) else picture

    pictures = {name: source(picture) for name, picture in theme.pictures.items()}

    def picture_of(thing: Any) -> str | None:
        """The picture of a reward or a tier: the merchant's own, else the vendor's where its host is allowed."""
        given: str | None = getattr(thing, "image_url", None)
        is_allowed = given is not None and any(given.startswith(f"{host}/") for host in theme.picture_hosts)
        return pictures.get(thing.id) or (given if is_allowed else None)

    logo = theme.logo
    return {
        "bare": settings.layout == "bare",
        "schemes": " ".join(theme.palettes),
        "ground_colours": _grounds(theme),
        "logo": logo and logo._replace(light=source(logo.light) or "", dark=source(logo.dark)),
        "hero_picture": source(theme.hero),
        "links": theme.links,
        "base_url": settings.base_url,
        "public_url": settings.origin,
        "picture_of": picture_of,
    }


def _grounds(theme: Theme) -> Mapping[str, str]:
    """The colour of the page in each scheme, by the media query for it; an empty one where there is one scheme."""
    if len(theme.palettes) == 1:
        return {"": next(iter(theme.palettes.values()))["page"]}
    return {f"(prefers-color-scheme: {scheme})": palette["page"] for scheme, palette in theme.palettes.items()}
