"""Unpacking bodies that come in gzip (RFC 9110 §8.4.1.3), never more of them than somebody wants to have."""

import zlib

# zlib's name for gzip, with its header and its checksum.
GZIP = zlib.MAX_WBITS | 16


def unpacked(packed: bytes | bytearray, most_bytes: int) -> bytes:
    """What this is unpacked, cut off after `most_bytes`.

    Raises zlib.error for what is not gzip, or broke off; nothing at all is fine.
    """
    unpacker = zlib.decompressobj(GZIP)
    found = unpacker.decompress(packed, most_bytes)
    if packed and not unpacker.eof and len(found) < most_bytes:
        raise zlib.error("the packed body broke off")
    return found
