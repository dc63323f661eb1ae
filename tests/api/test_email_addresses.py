"""Which e-mail addresses a friend may have, and the one form in which they reach the vendor (H6)."""

import pytest
from support.sandbox_catalogue import code_of
from support.services import Vendors
from support.shopper import Shopper

# As given, and as the vendor gets it.
GOOD = {
    "friend@example.com": "friend@example.com",
    "Friend.Of.Mine@EXAMPLE.Com": "Friend.Of.Mine@example.com",
    "  friend1@example.com ": "friend1@example.com",
    "friend_2-x@example.com": "friend_2-x@example.com",
    "3@example.com": "3@example.com",
    "friend@a.b.example.co.uk": "friend@a.b.example.co.uk",
    "friend@bücher.example": "friend@xn--bcher-kva.example",
    "friend@xn--mnchen-3ya.de": "friend@xn--mnchen-3ya.de",
    "friend@例え.jp": "friend@xn--r8jz45g.jp",
    "friend4@ｅｘａｍｐｌｅ.com": "friend4@example.com",
    "friend5@example。com": "friend5@example.com",
    "friend@ex\N{CYRILLIC SMALL LETTER A}mple.com": "friend@xn--exmple-4nf.com",
    "jo\N{COMBINING DIAERESIS}rg@example.com": "j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg@example.com",
    "x" * 64 + "@example.com": "x" * 64 + "@example.com",
    "friend@" + "x" * 63 + ".com": "friend@" + "x" * 63 + ".com",
}
BAD = (
    "", " ", "friend", "@example.com", "friend@", "@", "friend@@example.com", "a@b@example.com", "friend＠example.com",
    "friend@example", "friend@localhost", "friend@127.0.0.1", "friend@[127.0.0.1]", "friend@[IPv6:::1]",
    ".friend@example.com", "friend.@example.com", "fri..end@example.com", "friend@.example.com", "friend@example.com.",
    "friend@example..com", "friend@-example.com", "friend@example-.com", "friend@exa_mple.com", "friend@xn--.com",
    "fri end@example.com", "friend@exam ple.com", '"friend"@example.com', '"fri end"@example.com',
    "friend@example.com,other@example.com", "friend@example.com;other@example.com", "a@example.com b@example.com",
    "Friend <friend@example.com>", "<friend@example.com>", "mailto:friend@example.com", "fri(end)@example.com",
    "friend@example.com\r\nBcc: all@example.com", "friend@example.com\n", "\nfriend@example.com",
    "friend@example.com%0d%0aBcc:all@example.com", "friend%40example.com", "friend\t@example.com",
    "friend@example.com\0", "fri\0end@example.com", "friend@exam\0ple.com", "fri\x7fend@example.com",
    "fri\x85end@example.com", "fri\u200bend@example.com", "friend@exam\u200bple.com", "friend\u200d@example.com",
    "\ufefffriend@example.com", "fri\u2060end@example.com", "fri\u202eend@example.com", "friend@example.com\u202e",
    "\u2066friend\u2069@example.com", "fri\u200eend@example.com", "fri\u00adend@example.com",
    "friend@ex\u00adample.com",
    "friend\u00a0@example.com", "friend\u2028@example.com", "friend@example.com\u3000", "\u0301friend@example.com",
    "<script>@example.com", "friend@example.com<script>", "friend@example.com?subject=x", "friend@example.com#x",
    "friend@example.com/x", "friend\\@example.com", "friend@example.test", "friend@example.invalid",
    "friend@" + "x" * 64 + ".com", "friend@" + "x." * 124 + "com", "x" * 16000,
)  # fmt: skip


def test_H6_good_addresses_reach_the_vendor_in_one_form(ella: Shopper, vendors: Vendors) -> None:
    for given in GOOD:
        assert ella.api("POST", "/me/referrals", {"email": given}).status_code == 202, ascii(given)
    assert [referral["email"] for referral in vendors.member("ella")["referrals"]] == list(GOOD.values())


def test_H6_bad_addresses_are_refused_before_anybody_is_asked(ella: Shopper, vendors: Vendors) -> None:
    for given in BAD:
        reply = ella.api("POST", "/me/referrals", {"email": given})
        assert (reply.status_code, code_of(reply)) == (422, "invalid_email"), ascii(given)
        assert len(given) < 2 or given not in reply.text, ascii(given)
    assert vendors.calls("referral_request") == []


def test_H6_a_local_part_has_64_characters_at_most(ella: Shopper, vendors: Vendors) -> None:
    for local in ("x" * 65, "x" * 200):
        reply = ella.api("POST", "/me/referrals", {"email": f"{local}@example.com"})
        assert (reply.status_code, code_of(reply)) == (422, "invalid_email"), local
    assert vendors.calls("referral_request") == []


def test_H6_a_form_says_which_address_to_mend_and_keeps_it(ella: Shopper, vendors: Vendors) -> None:
    page = ella.get("/refer")
    for given in ("friend@", '"><script>alert(1)</script>@example.com', "friend@example.com,other@example.com"):
        again = ella.submit(page, "/refer", email=given)
        assert (again.status, again.form("/refer").fields["email"]) == (422, given)
        assert "check the email address" in again.text
        assert "<script>alert" not in again.reply.text
    assert vendors.calls("referral_request") == []


@pytest.mark.parametrize("more", ["", "&email=a@example.com&email=b@example.com"])
def test_H4_a_form_gives_exactly_one_address(ella: Shopper, vendors: Vendors, more: str) -> None:
    fields = ella.get("/refer").form("/refer").fields
    headers = {"origin": ella.base, "content-type": "application/x-www-form-urlencoded"}
    reply = ella.request("POST", "/refer", content=f"csrf={fields['csrf']}{more}", headers=headers)
    assert reply.status_code == (400 if more else 422)
    assert vendors.calls("referral_request") == []
