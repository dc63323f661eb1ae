"""Sessions whose tokens are missing, old or dead."""

from support.services import Service, Vendors
from support.shopper import Shopper


def aged(service: Service, vendors: Vendors, seconds: float) -> None:
    """Time passes for the service and for the vendors."""
    service.clock.advance(seconds)
    vendors.control("clock", advance=seconds)


def without_faults(vendors: Vendors) -> None:
    vendors.http.delete(f"{vendors.url}/_control/faults")


def without_a_jwt(service: Service, vendors: Vendors, persona: str = "ella") -> Shopper:
    """Signed in while Okendo was down, so that the next call has to exchange the token."""
    vendors.fault("login", "status:500", times=50)
    shopper = service.signed_in(persona)
    without_faults(vendors)
    return shopper


def with_dead_tokens(service: Service, vendors: Vendors, persona: str = "ella") -> Shopper:
    """Signed in with tokens that the vendors refuse from now on, except for the refresh token."""
    shopper = service.signed_in(persona)
    vendors.control("clock", advance=3700)
    return shopper
