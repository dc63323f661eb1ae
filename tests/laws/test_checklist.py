"""Every item of the security checklist is held by a test that carries its id, such as `test_D2_origin_matrix`."""

import ast
import re
from collections.abc import Iterator

import pytest
from support.services import ROOT

ITEMS = {
    "A1": "the session cookie has one form: __Host-Http-, Secure, HttpOnly, Path=/, SameSite=Lax",
    "A2": "one cookie says who somebody is, and it is cleared in the form that it was set in",
    "A3": "plain http gets no session and honours none",
    "A4": "who only looks gets no cookie",
    "A5": "two session cookies are none",
    "A6": "a cookie of any other shape is nobody's, and the store is not asked",
    "A7": "storefronts of another site end the boot, unless that is meant",
    "B1": "ids are random and ours",
    "B2": "each sign-in has a new id, and the one before is dead",
    "B3": "the store knows an id by its hash alone",
    "B4": "an unused session ends",
    "B5": "every session ends, however much it is used",
    "B6": "a dead grant ends a session, and a vendor's trouble does not",
    "B7": "signing out is a POST with a token, works twice, and clears what was kept",
    "B8": "an ended session is never written back",
    "B9": "changes at once lose no field",
    "B10": "a store that is away signs nobody out and sets no cookie",
    "B11": "a store is not waited for for long",
    "B12": "an operator ends all sessions of a customer, at once",
    "B13": "a customer has only so many sessions",
    "B14": "looking begins no session",
    "B15": "a provider's own sign-out tokens, where they are taken, are checked in full",
    "B16": "a page made for one customer does nothing for another",
    "C1": "no token reaches a browser or a log",
    "C2": "what is stored is sealed to its place, and what was changed is refused",
    "C3": "neither the store nor the cookie opens a session alone",
    "C4": "keys are rotated without signing anybody out",
    "C5": "a weak key ends the boot",
    "C6": "marks are compared in constant time, under a key for each purpose",
    "C7": "what a vendor's token says of itself grants nothing",
    "C8": "a token is exchanged once, however many ask",
    "C9": "no token is taken from an address",
    "C10": "a vendor that cannot prove its name is sent nothing",
    "D1": "one gate guards every write, new routes too",
    "D2": "a write comes from an origin on the list",
    "D3": "Sec-Fetch-Site agrees with the origin",
    "D4": "JSON comes as JSON and with its own header",
    "D5": "a form carries a token of its session and purpose",
    "D6": "looking changes nothing",
    "D7": "nobody can be signed in by somebody else's page",
    "D8": "the method is the one of the request line",
    "D9": "a member's data is not loaded by other sites",
    "E1": "CORS knows exact https origins alone",
    "E2": "other origins get no CORS header at all",
    "E3": "a preflight allows what its route takes, and asks nobody",
    "E4": "answers vary by Origin",
    "E5": "errors can be read by the storefront as well",
    "E6": "pages have no CORS",
    "F1": "a way back leads to us or to a storefront",
    "F2": "after a form comes a 303, and never a 307",
    "F3": "hosts are on a list, and addresses come from the settings",
    "F4": "a vendor's address is shown if it is https",
    "F5": "no write is answered by a redirect to the sign-in",
    "G1": "no value leaves its place in a vendor's address",
    "G2": "every address has its methods and refuses others",
    "G3": "no header of a browser reaches a vendor",
    "G4": "a header that is there twice, or with an underscore, is not believed",
    "G5": "calls share no cookies",
    "G6": "a vendor's redirect is an error",
    "G7": "a vendor's headers stay outside",
    "G8": "a reply is read field by field",
    "G9": "a reply has a largest size and depth",
    "G10": "each call has a deadline, and only a harmless read is tried again",
    "G11": "one vendor's trouble is not another's",
    "G12": "no proxy of the environment is used",
    "G13": "no control character reaches a header",
    "H1": "a body has a largest size, measured while it comes",
    "H2": "JSON is strict",
    "H3": "unknown fields and other types are refused",
    "H4": "a form is urlencoded, each field once",
    "H5": "query parameters are known, each once",
    "H6": "an address is one address, normalised",
    "H7": "free text is normalised, bounded, and escaped where it is shown",
    "H8": "an id is one that was offered to this member",
    "H9": "slow and large requests are cut off",
    "H10": "what could be read two ways is refused",
    "H11": "text takes time by its length, and nothing is evaluated",
    "I1": "everything is escaped that the sanitiser has not seen",
    "I2": "vendors' HTML is sanitised",
    "I3": "every answer has its content security policy",
    "I4": "each page has a nonce of its own",
    "I5": "every answer has the other headers for browsers",
    "I6": "pages stand in no frame",
    "I7": "no data is embedded in pages for scripts, and no handler stands inline",
    "I8": "every body says its type, and errors come in the form that is asked for",
    "I9": "static files are named by their content, and nothing else lies there",
    "I10": "pages work without JavaScript",
    "J1": "what knows who is asking is stored nowhere",
    "J2": "what is public is the same for everybody",
    "J3": "a made-up suffix is not found",
    "J4": "nothing personal is in a shared cache",
    "J5": "old public data is served for an hour at most, and never agreed to",
    "K1": "the client's address is the one that our proxy saw",
    "K2": "everything has a limit, and others are not hit by it",
    "K3": "a limit says when to come back",
    "K4": "limits are shared, and close what costs money when they cannot be read",
    "K5": "nobody learns whether an address is known",
    "K6": "invitations are counted by mailbox, and their words are not the sender's",
    "K7": "a vendor that asks for patience is given it",
    "K8": "too many requests at once are refused at once",
    "K9": "a process that is stopped finishes what it began",
    "L1": "redeeming takes an idempotency key",
    "L2": "a key is one member's",
    "L3": "a lost answer is unknown, and is reconciled",
    "L4": "outcomes are kept in the database",
    "L5": "joining takes the words that are in force and were shown",
    "L6": "joining takes a click",
    "L7": "twice is once",
    "L8": "balance and price are the vendor's, now",
    "M1": "an error says its code and nothing of its inside",
    "M2": "people get errors as pages",
    "M3": "whatever fails is answered",
    "M4": "logs have fields from a list and nothing secret or personal",
    "M5": "a log line is one JSON object",
    "M6": "what concerns security is logged",
    "M7": "a request id is safe, or made anew",
    "M8": "a trace is a service's own",
    "M9": "metrics have bounded labels and are not public",
    "M10": "health tells nothing of the inside",
    "N1": "an unfit production does not start",
    "N2": "what is for development is not there in production",
    "N3": "secrets come from the environment and are never shown",
    "N4": "packages are pinned with hashes, from no other index",
    "N5": "there is a bill of materials, with licences",
    "N6": "the source is looked at by tools, and who ignores one says why",
    "N7": "the documents say what the code does",
    "P1": "a call that changes something is never cut off",
    "P2": "an early refresh that fails is put off",
    "P3": "vendors' texts and numbers are bounded where they are read",
    "P4": "vendors' ids work whatever they hold",
    "P5": "Shopify's discovery is checked, and so is who has signed in",
    "P6": "no link replaces somebody's session without their click",
    "P7": "production takes no published or weak secret",
    "P8": "forwarded headers are believed from known proxies",
    "P9": "shoppers can end all their sessions",
    "P10": "a partial reading is not shown as complete",
    "P11": "a cookie of one name has one form",
    "P12": "events that are sent out are signed and say nothing personal",
    "P13": "a session handle of a server is worth nothing without that server's token",
    "P14": "each defence has a mutant that a test kills",
}
# What the service does not do, so that there is nothing to hold. Its test shows that it is not there.
NOT_DONE = {
    "B15": "Shopify's customer accounts offer no back-channel sign-out: their discovery names none",
    "H7": "no route takes free text: a shopper gives an address to invite and nothing else that others read",
}
NAMED = re.compile(r"test_((?:[A-Z]\d+_)+)")


def named_by_tests() -> Iterator[str]:
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (found := NAMED.match(node.name)):
                yield from found[1].strip("_").split("_")


def test_every_item_has_a_test() -> None:
    assert set(ITEMS) - set(named_by_tests()) == set()


def test_no_test_names_an_item_that_there_is_not() -> None:
    assert set(named_by_tests()) - set(ITEMS) == set()


def test_the_list_is_whole() -> None:
    last = {"A": 7, "B": 16, "C": 10, "D": 9, "E": 6, "F": 5, "G": 13, "H": 11, "I": 10, "J": 5, "K": 9, "L": 8}
    last |= {"M": 10, "N": 7, "P": 14}
    assert list(ITEMS) == [f"{letter}{number}" for letter, most in last.items() for number in range(1, most + 1)]
    assert set(NOT_DONE) <= set(ITEMS)


@pytest.mark.parametrize("item", NOT_DONE)
def test_what_is_not_done_is_shown_not_to_be_there(item: str) -> None:
    source = (ROOT / "tests" / "laws" / "test_not_there.py").read_text()
    assert re.search(rf"def test_(?:[A-Z]\d+_)*{item}_", source)
