"""Where the links of the demonstration lead, once they leave the service."""

from urllib.parse import quote

import pytest
from support.sandbox_catalogue import FIVE_OFF
from support.services import Start, Vendors


@pytest.mark.parametrize("code", ["OKE-5OFF-1", "<script>x</script>", "a b&c"])
def test_a_coupon_that_is_applied_is_in_the_cart(vendors: Vendors, code: str) -> None:
    reply = vendors.http.get(f"{vendors.url}/discount/{quote(code.replace('/', ''), safe='')}?redirect=/")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "is in the cart" in reply.text
    assert "<script>x" not in reply.text


def test_no_link_of_a_member_is_dead(start: Start, vendors: Vendors) -> None:
    ella = start(STOREFRONT_ORIGINS=f"{vendors.url.replace('127.0.0.1', 'localhost')}").signed_in("ella")
    ella.submit(ella.get(f"/rewards/{FIVE_OFF}"), f"/rewards/{FIVE_OFF}")
    away = {link for path in ("/", "/refer") for link in ella.get(path).read.links if link.startswith("http")}
    away.add(ella.api("GET", "/me/referrals").json()["url"])
    assert any("/discount/" in link for link in away)
    assert any("/refer/" in link for link in away)
    assert {link: vendors.http.get(link).status_code for link in away} == dict.fromkeys(away, 200)
