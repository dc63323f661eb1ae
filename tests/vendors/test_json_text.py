"""JSON with half of a surrogate pair, as a vendor writes it who cuts a text in the middle of an emoji."""

import time
from contextlib import suppress
from decimal import Decimal

import msgspec
import pytest

from bff.vendors.json_text import decode_json

CUT = {
    rb'"cut off \ud83d"': "cut off \ufffd",
    rb'"\ud83dx"': "\ufffdx",
    rb'"\udc00\ud83d"': "\ufffd\ufffd",
    rb'"\ud83d\ud83d\ude00"': "\ufffd\U0001f600",
    rb'"\ud83d\n\udE00"': "\ufffd\n\ufffd",
    rb'["\\ud83d", "\\\ud83d", "\ud83d\\"]': ["\\ud83d", "\\\ufffd", "\ufffd\\"],
    rb'{"\ud83d": "\ud83d\ude00"}': {"\ufffd": "\U0001f600"},
}


@pytest.mark.parametrize("body", CUT, ids=repr)
def test_P3_half_of_a_pair_spoils_nothing_else(body: bytes) -> None:
    assert decode_json(body) == CUT[body]


@pytest.mark.parametrize(
    "body", [b"", b'"', b'"\\u"', b'"\\ud8"', b'"\\q"', b'{"a": "\\ud83d"', b'"\xed\xa0\x80"'], ids=repr
)
def test_P3_what_is_no_json_stays_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_json(body)


def test_P3_decimals_stay_exact() -> None:
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    assert decode_json(rb'["\ud83d", 0.10]', decode) == ["\ufffd", Decimal("0.10")]


@pytest.mark.parametrize("piece", [rb"\ud83d", rb"\\", rb"\u", b"a"], ids=repr)
def test_H11_a_megabyte_of_escapes_is_dealt_with_at_once(piece: bytes) -> None:
    body = b'"' + piece * (1_000_000 // len(piece)) + rb'\ud83d"'
    began = time.process_time()
    with suppress(ValueError):
        decode_json(body)
    assert time.process_time() - began < 5
