"""Colours as `#rrggbb`, and how well one stands out from another (WCAG 2.2 §1.4.3, §1.4.11)."""

import colorsys
from collections.abc import Callable, Sequence

STEPS = 255


def contrast(one: str, other: str) -> float:
    """From 1, none at all, to 21, black on white. https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(colour: str, share: float, other: str) -> str:
    """As `color-mix(in srgb, colour share, other)` has it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return _hex([share * one + (1 - share) * another for one, another in pairs])


def nearest(colour: str, fits: Callable[[str], bool]) -> str | None:
    """The colour of the same hue that is the fewest steps of lightness away and fits; None where none does."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    for step in range(STEPS + 1):
        for way in (-step, step):
            at = min(max(lightness + way / STEPS, 0), 1)
            found = _hex(colorsys.hls_to_rgb(hue, at, saturation))
            if fits(found):
                return found
    return None


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def _hex(channels: Sequence[float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
