"""How a session's record is written before it is sealed: tokens as the bytes that they spell, and all of it deflated
against words that most records have. A record takes half the room then (docs/decisions/session-records.md).

What was sealed by the version before is a map of MessagePack, which begins with another byte than what is written now.
"""

import base64
import re
import zlib
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from bff.sessions.data import SessionData

FORM = b"\x01"
# Part of the form: records can only be read with the words that they were written with.
WORDS = (
    b'refresh_begun_at ends_by storefront https:// {"kid":"0","alg":"ED25519"} {"iss": "https://shopify.com/", '
    b'"sid": "", "exp": 17, "jti": "","alg":"HS256","typ":"JWT"}"subscriberId":"","customerId":"","role":"","nbf":'
    b'{"alg":"RS256","kid":"id_0","typ":"JWT"}","at_hash":"","auth_time":17,"azp":"'
    b'{"typ":"JWT","alg":"HS256"}{"sub":"","subscriberId":"","iat":17,"exp":17,"jti":""}'
    b'{"typ":"JWT","alg":"RS256","kid":"id_0"}{"iss":"https://shopify.com/authentication/","sub":"","aud":"","iat":17,'
    b'"exp":17,"sid":"","email":"@gmail.com","email_verified":true,"nonce":""}shcrt_shcat_.'
    b"customer_id gid://shopify/Customer/generation created_at shopify kind customer_account access_token expires_at "
    b"loyalty jwt expires_at state not_enrolled pending enrolled name email"
)
# A distance back is told within 4 KB, longer than most records with the words; more would only cost memory.
WINDOW = -12
MOST_BYTES = 1 << 20
# Parts of a token: text as it is, or the bytes that it is the base64url of. The first byte says which.
Spelled: TypeAlias = list[bytes]
TEXT, BYTES = b"t", b"b"


class Record(msgspec.Struct, frozen=True, array_like=True):
    """`data` without its tokens, which stand beside it: Shopify's for access, for refreshing and for who it is, and
    Okendo's."""

    data: SessionData
    tokens: list[Spelled | None]

    def __repr__(self) -> str:
        return "<Record>"


_decode = msgspec.msgpack.Decoder(Record).decode
_decode_before = msgspec.msgpack.Decoder(SessionData).decode


def written(data: SessionData) -> bytes:
    """The bytes of a record."""
    shopify, loyalty = data.shopify, data.loyalty
    tokens = (shopify.access_token, shopify.refresh_token, shopify.id_token, loyalty.jwt if loyalty else None)
    bare = replace(
        data,
        shopify=replace(shopify, access_token="", refresh_token=None, id_token=None),
        loyalty=replace(loyalty, jwt="") if loyalty else None,
    )
    record = Record(bare, [None if token is None else _spelled(token) for token in tokens])
    deflate = zlib.compressobj(6, zlib.DEFLATED, WINDOW, 6, zlib.Z_DEFAULT_STRATEGY, WORDS)
    return FORM + deflate.compress(msgspec.msgpack.encode(record)) + deflate.flush()


def read(record: bytes) -> SessionData:
    """What was written; raises ValueError for a form that is not known."""
    if not record.startswith(FORM):
        return _decode_before(record)
    try:
        found = _decode(zlib.decompressobj(WINDOW, WORDS).decompress(record[1:], MOST_BYTES))
    except zlib.error as error:
        raise ValueError("not deflated with these words") from error
    access, refresh, identity, jwt = (None if token is None else _text(token) for token in found.tokens)
    shopify, loyalty = found.data.shopify, found.data.loyalty
    return replace(
        found.data,
        shopify=replace(shopify, access_token=access or "", refresh_token=refresh, id_token=identity),
        loyalty=replace(loyalty, jwt=jwt or "") if loyalty else None,
    )


def _spelled(token: str) -> Spelled:
    """A token of any kind. Parts of a JWT are base64url (RFC 7515 §3), behind a prefix in Shopify's access tokens."""
    return [_bytes_of(part) for part in re.split(r"(^sh[a-z]+_|\.)", token) if part]


def _bytes_of(text: str) -> bytes:
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return TEXT + text.encode()
    return BYTES + found if _base64url(found) == text else TEXT + text.encode()


def _text(spelled: Spelled) -> str:
    return "".join([_base64url(part[1:]) if part.startswith(BYTES) else part[1:].decode() for part in spelled])


def _base64url(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode("ascii")
