"""How hard a secret is to guess at most, seen from outside (checklist C5, P7).

Nobody can see whether a text was chosen at random; what is seen is its length, its characters, and whether it is words.
So the estimate is an upper bound: random bytes are never underrated, a clever pattern may be overrated.
"""

import re
from itertools import pairwise
from math import log2

from bff.settings.readers import base64_decoded

# A word of a phrase: there are 6^5 in Diceware's list, and people choose among fewer.
WORD_BITS = log2(6**5)
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d{1,4}", re.ASCII)
# Alphabets of numbers, in which what stands between the digits is only decoration, as in a UUID.
DIGITS = ((re.compile(r"[0-9]+"), 10), (re.compile(r"[0-9a-f]+|[0-9A-F]+"), 16))
BASE64 = re.compile(r"[0-9A-Za-z+/_-]+")
PRINTABLE = 94
# Random texts and keys of the lengths that are asked for have more different characters or bytes, and more distances
# between neighbours, but for one in millions.
LEAST_VARIETY_OF_TEXT = 8
LEAST_VARIETY_OF_KEY = 12


def bits_of(secret: str) -> float:
    """The most bits that a secret in visible ASCII can hold, by its length and alphabet.

    16 random bytes have at least 128 in hexadecimal, base32 and base64, with `whsec_` before it or not. A phrase has
    `WORD_BITS` for each of its words, a repetition what it repeats, and an even pattern none. Base64 of an ASCII text
    counts as that text.
    """
    bare = secret.removeprefix("whsec_").rstrip("=")
    decoded = base64_decoded(bare)
    text = _repeated(decoded.decode() if decoded.isascii() and is_text(decoded) else bare)
    if is_pattern(text.encode(), LEAST_VARIETY_OF_TEXT):
        return 0
    words = [word for word in re.split(r"[\W_]+", text) if word]
    if len(words) > 1 and all(map(WORD.fullmatch, words)):
        return WORD_BITS * len(words)
    digits = "".join(words)
    for alphabet, size in DIGITS:
        if alphabet.fullmatch(digits):
            return len(digits) * log2(size)
    return len(text) * log2(64 if BASE64.fullmatch(text) else PRINTABLE)


def is_weak_key(key: bytes) -> bool:
    """Whether bytes are a text, a pattern or a repetition rather than random."""
    return is_text(key) or is_pattern(key, LEAST_VARIETY_OF_KEY)


def is_text(value: bytes) -> bool:
    """Whether bytes are UTF-8 that somebody may have typed: printable characters and white space."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and all(character.isprintable() or character.isspace() for character in text)


def is_pattern(value: bytes, least_variety: int) -> bool:
    """Whether bytes are few different ones, or evenly spaced."""
    steps = {(right - left) % 256 for left, right in pairwise(value)}
    return min(len(set(value)), len(steps)) < least_variety


def _repeated(text: str) -> str:
    """What a text repeats at least twice; else the text itself."""
    halves = range(1, len(text) // 2 + 1)
    return next((text[:size] for size in halves if text[size:] == text[:-size]), text)
