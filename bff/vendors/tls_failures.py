"""Why a vendor could not be spoken to over TLS: what is wrong with its certificate, in words of their own.

Such a vendor is sent nothing, and another try would end the same.
"""

import ssl
from collections.abc import Iterator, Mapping
from typing import Literal

import httpx2

Kind = Literal[
    "certificate_expired", "certificate_not_yet_valid", "certificate_name", "certificate_issuer", "certificate", "tls"
]
# The numbers of OpenSSL's X509_V_ERR_… (openssl-verification-options, "x509_vfy.h").
KINDS: Mapping[int, Kind] = {
    2: "certificate_issuer",
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    18: "certificate_issuer",
    19: "certificate_issuer",
    20: "certificate_issuer",
    21: "certificate_issuer",
    62: "certificate_name",
    64: "certificate_name",
}
WORDS: Mapping[Kind, str] = {
    "certificate_expired": "Its TLS certificate has expired, or this machine's clock is ahead.",
    "certificate_not_yet_valid": "Its TLS certificate is not valid yet, or this machine's clock is behind.",
    "certificate_name": "Its TLS certificate is for another name.",
    "certificate_issuer": "Its TLS certificate is from an issuer that this machine does not know.",
    "certificate": "Its TLS certificate was not accepted.",
    "tls": "No TLS connection could be made.",
}


class TlsFailed(httpx2.ConnectError):
    """No TLS connection could be made, so nothing was sent; `kind` says why, and `words` say it to an engineer."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.kind = kind
        self.words = WORDS[kind]


def tls_failure(error: BaseException) -> TlsFailed | None:
    """The failure that this exception or one of its causes is, if TLS is what failed."""
    failed = [each for each in _causes(error) if isinstance(each, ssl.SSLError)]
    codes = [each.verify_code for each in failed if hasattr(each, "verify_code")]
    if codes:
        return TlsFailed(KINDS.get(codes[0], "certificate"))
    return TlsFailed("tls") if failed else None


def failure_of(error: httpx2.RequestError) -> str:
    """What log and metric call a call that failed."""
    return error.kind if isinstance(error, TlsFailed) else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    step: BaseException | None = error
    while step is not None:
        yield step
        step = step.__cause__
