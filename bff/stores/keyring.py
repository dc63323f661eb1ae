"""The key ring: one secret from the settings becomes a separate key for every purpose.

The first key seals and signs; every key that is listed opens and verifies. So a key can be rotated without signing
anyone out, and removing one ends exactly what it protected (checklist C2-C6).
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import Signer, URLSafeSerializer
from itsdangerous.signer import SigningAlgorithm

Purpose = Literal[
    "session",
    "session cookie",
    "session handle",
    "login",
    "ticket",
    "sign-out",
    "earned",
    "csrf",
    "consent",
    "customer index",
    "redemption",
    "cursor",
    "copy",
    "audit",
    "metrics",
]
NONCE_BYTES = 12


class KeyId(NamedTuple):
    """By which keys of two rings are compared: the id, and 32 bits made from the key that tell nothing of it."""

    id: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.id} {self.fingerprint}"

    @classmethod
    def read(cls, text: str) -> "KeyId":
        """What `str` made of one."""
        identity, _, fingerprint = text.partition(" ")
        return cls(identity, fingerprint)


class SealBroken(Exception):
    """The bytes were not sealed by a key of this ring with this purpose, associated data and key share."""


class HmacSha256(SigningAlgorithm):
    """What itsdangerous does, in one call of OpenSSL."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha256")


class QuickSigner(Signer):
    """Derives each key once, and not for every signature; what it signs is the same."""

    def __init__(self, secrets_oldest_first: list[bytes], purpose: str) -> None:
        super().__init__(
            secrets_oldest_first,
            salt=purpose,
            key_derivation="hmac",
            digest_method=hashlib.sha256,
            algorithm=HmacSha256(),
        )
        self._derived: dict[str | bytes | None, bytes] = {}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        if secret_key not in self._derived:
            self._derived[secret_key] = super().derive_key(secret_key)
        return self._derived[secret_key]


class KeyRing:
    """`keys` are (id, 32 random bytes or more), newest first."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._keys = dict(keys)
        self._newest = keys[0][0]
        self.signer = lru_cache(self._signer)
        self.serialiser = lru_cache(self._serialiser)

    def seal(self, purpose: Purpose, plaintext: bytes, *, associated_data: bytes, key_share: bytes = b"") -> bytes:
        """AES-256-GCM with a random 96-bit nonce: id length, id, nonce, ciphertext.

        It opens only with the same purpose, `associated_data` (such as its key in Valkey) and `key_share` (the part of
        the key that is not in the settings).
        """
        identity = self._newest.encode()
        nonce = secrets.token_bytes(NONCE_BYTES)
        key = derive(self._keys[self._newest], purpose, key_share)
        sealed = AESGCM(key).encrypt(nonce, plaintext, _context(purpose, associated_data, identity))
        return bytes([len(identity)]) + identity + nonce + sealed

    def open(self, purpose: Purpose, sealed: bytes, *, associated_data: bytes, key_share: bytes = b"") -> bytes:
        """Raises SealBroken for what was changed, moved, or sealed by a key that is not listed."""
        identity, rest = sealed[1 : 1 + sealed[0]] if sealed else b"", sealed[1 + sealed[0] :] if sealed else b""
        secret = self._keys.get(identity.decode("ascii", "replace"))
        if secret is None or len(rest) <= NONCE_BYTES:
            raise SealBroken
        try:
            cipher = AESGCM(derive(secret, purpose, key_share))
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _context(purpose, associated_data, identity))
        except InvalidTag:
            raise SealBroken from None

    def ids(self) -> tuple[KeyId, ...]:
        """All keys, the first one first."""
        return tuple(KeyId(name, derive(secret, "fingerprint").hex()[:8]) for name, secret in self._keys.items())

    def newest(self) -> "KeyRing":
        """A ring with only the newest key."""
        if len(self._keys) == 1:
            return self
        return KeyRing([(self._newest, self._keys[self._newest])])

    def is_newest(self, sealed: bytes) -> bool:
        return sealed[1 : 1 + sealed[0]].decode("ascii", "replace") == self._newest

    def _signer(self, purpose: Purpose) -> Signer:
        # itsdangerous wants the newest key last.
        secrets_oldest_first = [derive(secret, purpose) for secret in reversed(self._keys.values())]
        return QuickSigner(secrets_oldest_first, purpose)

    def _serialiser(self, purpose: Purpose) -> URLSafeSerializer:
        secrets_oldest_first = [derive(secret, purpose) for secret in reversed(self._keys.values())]
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(secrets_oldest_first, salt=purpose, signer_kwargs=options)

    def hmac(self, purpose: Purpose, *parts: str) -> str:
        """An HMAC-SHA256 over the parts, 43 characters."""
        return self.signer(purpose).get_signature(_joined(parts)).decode()

    def hmacs(self, purpose: Purpose, *parts: str) -> list[str]:
        """The same HMAC by every key of the ring, newest first: to find what was stored under an older key."""
        rings = (KeyRing([key]) for key in self._keys.items())
        return [ring.hmac(purpose, *parts) for ring in rings]

    def verify(self, purpose: Purpose, hmac: str, *parts: str) -> bool:
        """Whether `hmac` was made over these parts by a key of the ring; compared in constant time."""
        return hmac.isascii() and self.signer(purpose).verify_signature(_joined(parts), hmac)


def derive(secret: bytes, purpose: str, key_share: bytes = b"") -> bytes:
    """A 256-bit key for one purpose (HKDF, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=key_share or None, info=purpose.encode()).derive(secret)


def _context(purpose: str, associated_data: bytes, identity: bytes) -> bytes:
    return b"\0".join((purpose.encode(), associated_data, identity))


def _joined(parts: Sequence[str]) -> bytes:
    # Lengths in front keep ("ab", "c") and ("a", "bc") apart.
    return b"".join(f"{len(part.encode())}:".encode() + part.encode() for part in parts)
