"""What the browser and the service keep from others together: other tabs, other sites, other shoppers."""

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from support.breadth import OTHER_SITES
from support.browser_visits import Browse, Elsewhere, Visit, writes
from support.every_page import FIVE_OFF
from support.services import Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
COOKIE = "__Host-Http-loyalty"
PAGES = ("/", "/join", "/rewards", FIVE_OFF, "/refer", "/welcome", "/blocked", "/signed-out")
with_and_without_scripts = pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])

POST_FORM = """([url, fields, type]) => {
  const form = Object.assign(document.createElement("form"), {method: "post", action: url, enctype: type});
  for (const [name, value] of Object.entries(fields))
    form.append(Object.assign(document.createElement("input"), {name, value}));
  document.body.append(form);
  form.submit();
}"""
# Loads the address the way other sites can without asking, and says what they learn of it.
LOAD = """async ([url, kind]) => {
  if (kind === "fetch") return fetch(url, {mode: "no-cors", credentials: "include"}).then(() => "load", () => "error");
  const address = kind === "link" ? {rel: "prefetch", href: url} : {src: url};
  const element = Object.assign(document.createElement(kind), address);
  const heard = new Promise((tell) => {
    element.addEventListener("load", () => tell("load"));
    element.addEventListener("error", () => tell("error"));
  });
  document.body.append(element);
  return heard;
}"""
SEND = "([url, options]) => fetch(url, options).then((reply) => reply.type, () => 'error')"
EVERYTHING_KEPT = """document.documentElement.outerHTML + location.href + document.cookie
  + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + JSON.stringify(history.state)"""
FRAME = """(url) => new Promise((tell) => {
  const frame = Object.assign(document.createElement("iframe"), {src: url});
  frame.addEventListener("load", tell);
  document.body.append(frame);
})"""


# Cookies -------------------------------------------------------------------------------------------------------------


def test_A1_scripts_can_neither_read_nor_plant_the_session_cookie(visit: Visit) -> None:
    plant = f"document.cookie = '{COOKIE}=planted; Secure; Path=/; SameSite=Lax'"
    visit.go("/")
    visit.run(plant)
    assert visit.cookies == []
    visit.sign_in("ella")
    assert visit.run("document.cookie") == ""
    visit.run(plant)
    visit.go("/")
    assert "1,240" in visit.words
    (cookie,) = [cookie for cookie in visit.cookies if not cookie["name"].endswith("-login")]
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"]) == (COOKIE, True, True)
    assert (cookie["sameSite"], cookie["path"], cookie["domain"]) == ("Lax", "/", urlsplit(visit.url).hostname)


def test_A2_after_signing_out_the_jar_is_empty(visit: Visit) -> None:
    visit.sign_in("ella")
    assert len(visit.cookies) == 2
    visit.press("Sign out")
    visit.page.wait_for_url("**/signed-out?state=*")
    assert [cookie for cookie in visit.cookies if cookie["domain"] == urlsplit(visit.url).hostname] == []


@with_and_without_scripts
def test_J1_after_signing_out_Back_shows_no_balance(browse: Browse, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go("/rewards")
    visit.go("/")
    assert "1,240" in visit.words
    visit.press("Sign out")
    visit.page.wait_for_url("**/signed-out?state=*")
    for _ in range(2):
        visit.page.go_back()
        assert "1,240" not in visit.words
        assert "Ella" not in visit.words


def test_C1_nothing_that_scripts_can_reach_holds_a_token(visit: Visit) -> None:
    visit.sign_in("ella")
    for path in PAGES:
        visit.go(path)
        kept = visit.run(EVERYTHING_KEPT)
        assert not [sign for sign in ("shcat_", "shcrt_", "shcac_", "eyJ") if sign in kept], path


# Two shoppers, one browser -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "button"), [(FIVE_OFF, "Redeem 500 points"), ("/refer", "Send invitation")], ids=["redeem", "refer"]
)
def test_B16_a_page_made_for_ella_does_nothing_once_tara_has_signed_in(
    visit: Visit, vendors: Vendors, path: str, button: str
) -> None:
    visit.sign_in("ella")
    visit.go(path)
    if path == "/refer":
        visit.page.get_by_label("Your friend's email address").fill("friend@example.com")
    visit.tab().sign_in("tara")
    with visit.page.expect_response(lambda reply: reply.request.method == "POST") as answer:
        visit.press(button)
    assert answer.value.status == 409
    expect(visit.page.get_by_role("alert")).to_contain_text("another account")
    assert writes(vendors) == []


def test_B16_terms_shown_to_penny_bind_nobody_else(visit: Visit, vendors: Vendors) -> None:
    visit.sign_in("penny")
    visit.go("/join")
    visit.tab().sign_in("ella")
    with visit.page.expect_response(lambda reply: reply.request.method == "POST") as answer:
        visit.press("Accept terms & join")
    assert answer.value.status == 409
    assert writes(vendors) == []


def test_B16_signing_out_in_a_page_of_ella_does_not_sign_tara_out(visit: Visit) -> None:
    visit.sign_in("ella")
    other = visit.tab()
    other.sign_in("tara")
    with visit.page.expect_response(lambda reply: reply.request.method == "POST") as answer:
        visit.press("Sign out")
    assert answer.value.status == 409
    other.go("/")
    assert "3,450" in other.words


# Other sites ---------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["attacker", "neighbour"][:OTHER_SITES])
def site(request: pytest.FixtureRequest) -> Elsewhere:
    """Somebody else's site, and another origin of the same site, whose requests carry the shopper's cookies."""
    site: Elsewhere = request.getfixturevalue(request.param)
    return site


@pytest.mark.broad
def test_D2_a_form_on_another_site_changes_nothing(visit: Visit, vendors: Vendors, site: Elsewhere) -> None:
    visit.sign_in("ella")
    jar = visit.cookies
    fields = {"email": "friend@example.com", "key": "0123456789abcdef", "csrf": "x", "consent": "x"}
    for path in ("/refer", FIVE_OFF, "/join", "/logout", "/api/v1/me/redemptions", "/api/v1/session"):
        for encoding in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
            assert _posted(visit, site, path, fields, encoding) == 403, (path, encoding)
    assert writes(vendors) == []
    assert visit.cookies == jar
    visit.go("/")
    assert "1,240" in visit.words


@pytest.mark.broad
def test_D7_another_site_cannot_sign_a_visitor_in_as_somebody_else(
    visit: Visit, vendors: Vendors, site: Elsewhere
) -> None:
    token = {"customerAccessToken": vendors.token("blake")}
    name, _, value = json.dumps(token | {"x": "="}).partition("=")
    assert _posted(visit, site, "/api/v1/session", {name: value}, "text/plain") == 403
    assert visit.cookies == []
    site.open(visit)
    options = {"method": "POST", "credentials": "include", "body": json.dumps(token)}
    assert visit.run(SEND, [f"{visit.url}/api/v1/session", options | {"mode": "no-cors"}]) in {"opaque", "error"}
    assert visit.cookies == []


def test_D7_somebody_elses_site_gets_no_leave_to_send_what_a_storefront_sends(
    visit: Visit, vendors: Vendors, attacker: Elsewhere
) -> None:
    """A neighbour on this machine does: development admits all of them as storefronts (docs/decisions/origins.md)."""
    attacker.open(visit)
    headers = {"content-type": "application/json", "x-loyalty-csrf": "1"}
    body = json.dumps({"customerAccessToken": vendors.token("blake")})
    options = {"method": "POST", "credentials": "include", "headers": headers, "body": body}
    assert visit.run(SEND, [f"{visit.url}/api/v1/session", options]) == "error"
    assert visit.cookies == []


def test_P6_a_site_that_leads_to_a_ticket_signs_nobody_in_as_somebody_else(
    visit: Visit, attacker: Elsewhere, neighbour: Elsewhere, vendors: Vendors
) -> None:
    def led(site: Elsewhere) -> None:
        site.open(visit)
        ticket = visit.service.ticket(vendors.token("zoe"))
        with visit.page.expect_navigation():
            visit.run("(url) => { location.href = url; }", f"{visit.url}/session/continue?ticket={ticket}")

    led(attacker)
    assert (visit.heading, visit.cookies) == ("Continue as Zoë Lindqvist?", [])
    visit.sign_in("ella")
    for site in (attacker, neighbour):
        led(site)
        assert visit.heading == "Continue as Zoë Lindqvist?"
        visit.follow("Stay signed in as I am")
        assert "1,240" in visit.words
    led(attacker)
    visit.press("Continue")
    visit.page.wait_for_url(f"{visit.url}/")
    assert "Zoë" in visit.words


@pytest.mark.broad
def test_D9_another_site_learns_nothing_from_loading_our_addresses(
    visit: Visit, site: Elsewhere, neighbour: Elsewhere
) -> None:
    site.open(visit)
    assert visit.run(LOAD, [neighbour.origin, "fetch"]) == "load"
    assert _learned(visit, site) == {"error"}
    visit.sign_in("ella")
    assert _learned(visit, site) == {"error"}


@pytest.mark.broad
def test_I6_no_page_can_be_framed_by_another_origin(visit: Visit, site: Elsewhere, neighbour: Elsewhere) -> None:
    visit.sign_in("ella")
    assert "Elsewhere" in _framed(visit, site, neighbour.origin)
    for path in PAGES:
        assert _framed(visit, site, visit.url + path).strip() == "", path


def _posted(visit: Visit, site: Elsewhere, path: str, fields: dict[str, str], encoding: str) -> int:
    site.open(visit)
    with visit.page.expect_navigation() as answer:
        visit.run(POST_FORM, [visit.url + path, fields, encoding])
    assert answer.value is not None
    return answer.value.status


def _learned(visit: Visit, site: Elsewhere) -> set[str]:
    site.open(visit)
    paths = ("/api/v1/me", "/api/v1/session", "/api/v1/me/rewards", "/", "/welcome")
    kinds = ("script", "img", "fetch")
    return {visit.run(LOAD, [visit.url + path, kind]) for path in paths for kind in kinds}


def _framed(visit: Visit, site: Elsewhere, url: str) -> str:
    """What a frame of the other site shows; a refused page leaves Chromium's own error page, whose text is its own."""
    site.open(visit)
    visit.run(FRAME, url)
    frame = visit.page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    return "" if frame.url.startswith("chrome-error:") else frame.locator("body").inner_text()


# Pages that were only looked at ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("persona", ["penny", "ella"])
def test_L6_looking_prefetching_and_prerendering_change_nothing(
    visit: Visit, vendors: Vendors, neighbour: Elsewhere, persona: str
) -> None:
    visit.sign_in(persona)
    before = vendors.member(persona)
    for path in PAGES:
        for purpose in ("prefetch", "prefetch;prerender"):
            visit.page.context.request.get(visit.url + path, headers={"sec-purpose": purpose})
        visit.go(path)
        visit.page.wait_for_load_state("networkidle")
    neighbour.open(visit)
    for path in PAGES:
        visit.run(LOAD, [visit.url + path, "link"])
    assert writes(vendors) == []
    assert vendors.member(persona) == before
