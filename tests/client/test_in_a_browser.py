"""The client in a page of the storefront, on an origin of its own, loaded from the service as a module."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from support.browser_visits import Browse, Elsewhere, Visit
from support.concurrency import until
from support.sandbox_catalogue import FIVE_OFF
from support.services import Service, Start, Vendors, Work
from support.snippets import to_run

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
# The page's own: the client, and every call that it makes.
SHOP = """async ([url, options]) => {
  const { createLoyalty } = await import(`${url}/client.js`);
  window.wire = [];
  window.loyalty = createLoyalty({ baseUrl: url, ...options, fetch: (address, init) => {
    wire.push(`${init.method} ${new URL(address).pathname} ${init.headers["Idempotency-Key"] ?? ""}`.trim());
    return fetch(address, init);
  } });
}"""
SEEN = "const seen = (promise) => promise.then((answer) => ({ answer }), ({ code, status }) => ({ code, status }));"
Shop: TypeAlias = Callable[..., Any]


@pytest.fixture
def service(start: Start, neighbour: Elsewhere) -> Service:
    return start(STOREFRONT_ORIGINS=neighbour.origin)


@pytest.fixture
def shop(visit: Visit, neighbour: Elsewhere) -> Shop:
    return at(visit, neighbour)


def at(visit: Visit, neighbour: Elsewhere, **options: object) -> Shop:
    """Opens the page, and returns what runs a script in it."""

    def run(script: str, argument: object = None) -> Any:
        return visit.run(f"async (given) => {{ {SEEN} {script} }}", argument)

    neighbour.open(visit)
    visit.run(SHOP, [visit.url, options])
    return run


def test_a_shopper_signs_in_with_a_ticket_redeems_and_signs_out(shop: Shop, visit: Visit, vendors: Vendors) -> None:
    assert shop("return loyalty.session()") == {"state": "anonymous"}
    ticket = visit.service.ticket(vendors.token("ella"))
    assert shop("return loyalty.signIn({ ticket: given })", ticket)["state"] == "enrolled"
    assert shop("return (await loyalty.me(['rewards'])).points.balance") == 1240
    assert visit.run("document.cookie") == ""
    code = shop("return (await loyalty.redeem(given)).coupon.code", FIVE_OFF)
    assert [one["code"] for one in vendors.member("ella")["redemptions"]] == [code]
    assert code in [one["code"] for one in shop("return (await loyalty.coupons()).coupons")]
    assert visit.run("sessionStorage.length") == 0
    shop("await loyalty.signOut()")
    assert shop("return loyalty.session()") == {"state": "anonymous"}
    assert visit.complaints == []


def test_reads_of_what_is_public_carry_no_cookie_and_need_no_leave(
    visit: Visit, attacker: Elsewhere, vendors: Vendors
) -> None:
    """Any page may load the module and read the program: without cookies, and without a preflight."""
    stranger = at(visit, attacker)
    asked = list[str]()
    visit.page.on("request", lambda request: asked.append(request.method))
    assert "rewards" in stranger("return Object.keys(await loyalty.program())")
    assert asked == ["GET"]
    refused = stranger("return seen(loyalty.refer('friend@example.com'))")
    assert refused == {"code": "unreachable", "status": 0}
    assert vendors.calls("referral_request") == []


def test_a_double_click_spends_once(shop: Shop, visit: Visit, vendors: Vendors) -> None:
    shop("await loyalty.signIn(given)", vendors.token("ella"))
    codes = shop(
        "return (await Promise.all([1, 2, 3].map(() => loyalty.redeem(given)))).map(({ coupon }) => coupon.code)",
        FIVE_OFF,
    )
    (redemption,) = vendors.member("ella")["redemptions"]
    assert codes == [redemption["code"]] * 3
    assert len([call for call in shop("return wire") if call.startswith("POST /api/v1/me/redemptions")]) == 1


def test_a_reload_goes_on_with_the_same_intent(
    shop: Shop, visit: Visit, neighbour: Elsewhere, vendors: Vendors
) -> None:
    shop("await loyalty.signIn(given)", vendors.token("ella"))
    vendors.fault("redeem", "delay_after", seconds=2)
    shop("void loyalty.redeem(given).catch(() => {})", FIVE_OFF)
    until(lambda: bool(vendors.member("ella")["redemptions"]))
    (first,) = [call for call in shop("return wire") if "redemptions" in call]
    again = at(visit, neighbour)
    done = again("return loyalty.redeem(given)", FIVE_OFF)
    assert first.endswith(done["key"])
    assert [one["code"] for one in vendors.member("ella")["redemptions"]] == [done["coupon"]["code"]]
    assert visit.run("sessionStorage.length") == 0


def test_an_outcome_that_is_not_known_is_waited_for_and_an_abort_only_ends_the_waiting(
    shop: Shop, vendors: Vendors, work: Work
) -> None:
    shop("await loyalty.signIn(given)", vendors.token("ella"))
    vendors.fault("redeem", "cut_after")
    left = shop(
        "const leaving = new AbortController();"
        "const asked = loyalty.redeem(given, { signal: leaving.signal });"
        "setTimeout(() => leaving.abort(new Error('left')), 500);"
        "return asked.catch(({ message }) => message)",
        FIVE_OFF,
    )
    assert left == "left"
    work()
    done = shop("return loyalty.redeem(given)", FIVE_OFF)
    (redemption,) = vendors.member("ella")["redemptions"]
    assert done["coupon"]["code"] == redemption["code"]
    keys = {call.rpartition(" ")[2] for call in shop("return wire") if call.startswith("POST /api/v1/me/redemptions")}
    assert keys == {done["key"]}


def test_without_room_to_keep_an_intent_it_lasts_as_long_as_the_page(
    shop: Shop, visit: Visit, vendors: Vendors
) -> None:
    shop("await loyalty.signIn(given)", vendors.token("ella"))
    visit.run("""() => {
      for (let length = 1 << 22; length >= 1; length >>= 1)
        for (let number = 0; ; number += 1)
          try { sessionStorage.setItem(`${length}${number}`, "x".repeat(length)); } catch { break; }
    }""")
    vendors.fault("redeem", "delay_after", seconds=1)
    keys = shop(
        "const first = new AbortController();"
        "const asked = seen(loyalty.redeem(given, { signal: first.signal }));"
        "setTimeout(() => first.abort(new Error('left')), 200);"
        "await asked;"
        "const { key } = await loyalty.redeem(given);"
        "return [key, ...wire.filter((call) => call.startsWith('POST') && call.includes('redemptions '))]",
        FIVE_OFF,
    )
    key, *sent = keys
    assert {one.rpartition(" ")[2] for one in sent} == {key}
    assert len(vendors.member("ella")["redemptions"]) == 1


def test_after_an_hour_a_new_ticket_is_asked_for_once(
    visit: Visit, neighbour: Elsewhere, service: Service, vendors: Vendors
) -> None:
    tickets = iter([service.ticket(vendors.token("ella"))])
    visit.page.expose_function("newTicket", lambda: next(tickets))
    shop = at(visit, neighbour)
    # Options of functions cannot be handed over as JSON.
    shop(
        """
      const { createLoyalty } = await import(`${given}/client.js`);
      window.loyalty = createLoyalty({ baseUrl: given, getToken: async () => ({ ticket: await newTicket() }) });
    """,
        visit.url,
    )
    assert shop("return loyalty.session()")["state"] == "enrolled"
    service.clock.advance(3700)
    vendors.control("clock", advance=3700)
    tickets = iter([service.ticket(vendors.token("ella"))])
    balances = shop(
        "return Promise.all([loyalty.me(), loyalty.me(['coupons']), loyalty.me(['rewards'])])"
        ".then((all) => all.map(({ points }) => points.balance))"
    )
    assert balances == [1240] * 3
    assert next(tickets, None) is None


def test_a_page_that_comes_back_reads_anew(browse_back: Browse, neighbour: Elsewhere, vendors: Vendors) -> None:
    """Chromium keeps the page as it was, and wakes it up."""
    visit = browse_back()
    shop = at(visit, neighbour)
    shop("await loyalty.signIn(given)", vendors.token("ella"))
    shop("window.kept = true; addEventListener('pageshow', ({ persisted }) => { window.back = persisted })")
    visit.page.goto(f"{neighbour.origin}/other")
    visit.page.go_back(wait_until="commit")
    assert visit.run("[window.kept, window.back]") == [True, True]
    assert shop("return (await loyalty.me()).points.balance") == 1240


def test_who_listens_badly_undoes_nothing(shop: Shop, visit: Visit, vendors: Vendors) -> None:
    shop("await loyalty.signIn(given)", vendors.token("ella"))
    told = shop(
        "const told = [];"
        "loyalty.on('redeemed', () => { throw new Error('a bad listener'); });"
        "const off = loyalty.on('redeemed', (detail) => told.push(detail));"
        "const { state } = await loyalty.redeem(given);"
        "off();"
        "await loyalty.redeem(given);"
        "return [state, told]",
        FIVE_OFF,
    )
    assert told == ["succeeded", [{"rewardId": FIVE_OFF, "points": 500}]]
    assert ["a bad listener" in complaint for complaint in visit.complaints] == [True, True]


# As documented --------------------------------------------------------------------------------------------------------


def put(visit: Visit, kind: str, text: str) -> None:
    visit.page.add_script_tag(content=text, type=kind)


def test_the_documented_page_runs_the_very_bytes(
    browse: Browse, neighbour: Elsewhere, service: Service, vendors: Vendors
) -> None:
    """The import map with its integrity, and the script; with another integrity nothing runs."""
    (block, _), (script,) = to_run("docs/client.md", "html"), to_run("docs/client.md", "js")
    names = block.text.replace("https://loyalty.example.com", service.url).split(">", 1)[1].rpartition("</script>")[0]
    text = script.text.replace("https://loyalty.example.com/client.js", "@loyalty/client")
    text = text.replace("https://loyalty.example.com", service.url)
    for integrity, title in (("sha384-", "1240 points"), ("sha384-A", "Elsewhere")):
        visit = browse()
        at(visit, neighbour)("await loyalty.signIn(given)", vendors.token("ella"))
        neighbour.open(visit)
        put(visit, "importmap", names.replace("sha384-", integrity))
        with visit.page.expect_event("requestfinished", lambda request: request.url.endswith(("/me", ".js"))):
            put(visit, "module", text)
        until(lambda visit=visit, title=title: visit.page.title() == title)  # type: ignore[misc]
        assert bool(visit.complaints) is (title == "Elsewhere")
