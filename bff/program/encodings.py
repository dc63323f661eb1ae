"""Bytes that are the same for everybody, in every content coding that a client may accept (RFC 9110 §8.4).

Only such bytes are compressed. An answer with a secret beside something that a stranger can choose is not, since its
length would give the secret away (BREACH): docs/decisions/compression.md.
"""

import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

import brotli  # type: ignore[import-untyped]
import zstandard

Coding = Literal["br", "zstd", "gzip", "identity"]
# Smaller bodies do not get smaller.
LEAST_BYTES = 256
# In the order we prefer where a client likes several alike: the first are smallest.
CODINGS: Mapping[Coding, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=9),
    "zstd": lambda body: zstandard.ZstdCompressor(level=12).compress(body),
    "gzip": lambda body: gzip.compress(body, mtime=0),
}


class Encodings:
    """One body; each coding of it is made when it is first asked for, and kept."""

    def __init__(self, body: bytes) -> None:
        self._made: dict[Coding, bytes] = {"identity": body}

    def accepted(self, accept_encoding: str) -> tuple[Coding, bytes]:
        """The coding that a client with this Accept-Encoding likes best, and the bytes in it."""
        coding = _best(accept_encoding) if len(self._made["identity"]) >= LEAST_BYTES else "identity"
        if coding not in self._made:
            self._made[coding] = CODINGS[coding](self._made["identity"])
        return coding, self._made[coding]


def entity_tag(digest: str, coding: Coding) -> str:
    """Of the bytes in this coding: another coding is another representation (RFC 9110 §8.8.3.3)."""
    return f'"{digest}"' if coding == "identity" else f'"{digest}-{coding}"'


def is_known(digest: str, if_none_match: str) -> bool:
    """Whether a client has this already, in whichever coding (RFC 9110 §13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(tags & {"*", entity_tag(digest, "identity"), *(entity_tag(digest, coding) for coding in CODINGS)})


@lru_cache(256)
def _best(accept_encoding: str) -> Coding:
    """By the weights of the header (RFC 9110 §12.5.3); what is malformed counts as not accepted."""
    weights: dict[str, float] = {}
    for entry in accept_encoding.lower().split(","):
        name, _, parameter = entry.partition(";")
        weights[name.strip()] = _weight(parameter.replace(" ", ""))
    liked = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in CODINGS}
    best = max(liked, key=lambda coding: liked[coding])
    return best if liked[best] > 0 and liked[best] >= weights.get("identity", 0.0) else "identity"


def _weight(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q=")) if parameter else 1.0
    except ValueError:
        return 0.0
