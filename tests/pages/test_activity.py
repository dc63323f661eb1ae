"""The statement: every line with its value, each redemption with its outcome, month by month, and as a table."""

import csv
import io
import json

import pytest
from support.page_rules import markup_of
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, TEN_PERCENT, new_key, redeem
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper

ALL_OF_ELLAS = 28


def rows_of(page: Page) -> list[str]:
    rows = (" ".join(row.text.split()) for row in markup_of(page).all("li"))
    return [row for row in rows if "points" in row or "Reference" in row]


def walked(shopper: Shopper) -> list[Page]:
    """All pages of the statement, from link to link."""
    pages = [shopper.get("/activity")]
    while older := [link for link in pages[-1].read.links if "/activity?cursor=" in link]:
        pages.append(shopper.get(older[0]))
        assert len(pages) < 20
    return pages


def table_of(shopper: Shopper) -> list[list[str]]:
    reply = shopper.request("GET", "/activity.csv")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(reply.content.decode("utf-8-sig"), newline="")))


def test_the_statement_has_every_line_once_month_by_month(ella: Shopper) -> None:
    pages = walked(ella)
    assert len(pages) == 2
    lines = [line for page in pages for line in rows_of(page)]
    told = ella.api("GET", "/me/activity?limit=100").json()["activity"]
    assert len(lines) == len(told) == ALL_OF_ELLAS
    assert [one["description"] in line for one, line in zip(told, lines, strict=True)] == [True] * ALL_OF_ELLAS
    for page in pages:
        months = [heading.text for heading in markup_of(page).all("h2")]
        assert len(set(months)) == len(months) >= 1


def test_what_is_on_its_way_and_when_points_expire_is_told_where_okendo_tells(ella: Shopper) -> None:
    page = ella.get("/activity")
    assert "45 more points are on their way." in page.text
    assert "The program says that your points expire on" in page.text
    assert "On its way: not in your balance yet" in rows_of(page)[0]


def test_every_line_has_its_value(service: Service) -> None:
    tara = service.signed_in("tara")
    code = redeem(tara, FIVE_OFF, new_key()).json()["coupon"]["code"]
    assert redeem(tara, STORE_CREDIT, new_key()).status_code == 201
    credit, coupon, *_ = rows_of(tara.get("/activity"))
    assert ("−750 points" in credit, "$8 in store credit" in credit) == (True, True)
    assert ("−500 points" in coupon, code in coupon) == (True, True)


def test_each_redemption_has_its_outcome_and_its_reference(service: Service, vendors: Vendors) -> None:
    tara = service.signed_in("tara")
    done = redeem(tara, FIVE_OFF, new_key()).json()
    vendors.fault("redeem", "status:422")
    assert redeem(tara, TEN_PERCENT, new_key()).status_code == 422
    vendors.fault("redeem", "cut_before")
    lost = redeem(tara, STORE_CREDIT, new_key()).json()
    unknown, failed, succeeded, *_ = rows_of(tara.get("/activity"))
    assert lost["supportReference"] in unknown
    assert "Being checked: please do not redeem it again" in unknown
    assert "points were not taken" in failed
    assert "$5 off your order" in succeeded
    assert done["supportReference"] in succeeded
    assert f"/redemptions/{lost['key']}" in tara.get("/activity").read.links


def test_a_redemption_is_on_one_page_only(service: Service, vendors: Vendors) -> None:
    tara = service.signed_in("tara")
    vendors.fault("redeem", "cut_before")
    lost = redeem(tara, STORE_CREDIT, new_key()).json()["supportReference"]
    pages = walked(tara)
    assert len(pages) > 2
    assert [lost in page.text for page in pages] == [True] + [False] * (len(pages) - 1)


@pytest.mark.parametrize(("kind", "words"), [("status:500", "load your history"), ("status:404", "does not tell us")])
def test_without_okendos_history_there_is_what_our_ledger_knows(
    service: Service, vendors: Vendors, kind: str, words: str
) -> None:
    tara = service.signed_in("tara")
    done = redeem(tara, FIVE_OFF, new_key()).json()
    vendors.fault("transactions", kind, times=9)
    page = tara.get("/activity")
    assert page.status == 200
    assert words in page.text
    assert done["coupon"]["code"] in page.text
    assert "Nothing has happened yet" not in page.text


def test_without_postgresql_the_history_is_shown_and_what_is_missing_is_said(
    start: Start, ella: Shopper, urls: list[str]
) -> None:
    port = urls[1].rpartition(":")[2]
    away = start(PORT=port, PUBLIC_URL=urls[1], DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").shopper()
    away.cookies = dict(ella.cookies)
    page = away.get("/activity")
    assert "load how your redemptions ended" in page.text
    assert len(rows_of(page)) == 25
    assert "Not complete" in table_of(away)[-1][1]


def test_a_place_in_a_statement_is_good_for_its_own_member_only(service: Service) -> None:
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    [older] = [link for link in ella.get("/activity").read.links if "cursor=" in link]
    assert tara.get(older).status == 400
    assert ella.get(f"{older[:-2]}xx").status == 400
    cursor = ella.api("GET", "/me/activity?limit=2").json()["next"]
    assert ella.get(f"/activity?cursor={cursor}").status == 400


def test_the_table_is_the_whole_statement(ella: Shopper) -> None:
    code = redeem(ella, FIVE_OFF, new_key()).json()["coupon"]["code"]
    header, *lines = table_of(ella)
    assert header == [
        "date", "what", "status", "points", "coupon", "store credit", "currency", "redemption", "reference",
    ]  # fmt: skip
    assert len(lines) == ALL_OF_ELLAS + 1
    assert lines[0][3:5] == ["-500", code]
    assert lines[0][7] == "succeeded"
    assert sum(int(line[3]) for line in lines if line[2] == "complete") == 740


def test_the_table_is_kept_by_nobody_and_names_nobody(ella: Shopper, vendors: Vendors) -> None:
    reply = ella.request("GET", "/activity.csv")
    assert "no-store" in reply.headers["cache-control"]
    assert reply.headers["content-disposition"] == 'attachment; filename="activity.csv"'
    assert "@" not in reply.text


def test_a_table_that_is_not_complete_says_so(service: Service, vendors: Vendors) -> None:
    vendors.control("history", persona="zoe", lines=2200)
    zoe = service.signed_in("zoe")
    before = len(vendors.calls("transactions"))
    lines = table_of(zoe)
    assert "Not complete" in lines[-1][1]
    assert len(vendors.calls("transactions")) - before <= 21
    assert "not-complete" in zoe.request("GET", "/activity.csv").headers["content-disposition"]


@pytest.mark.parametrize("start_of_it", ["=", "+", "-", "@"])
def test_I1_no_cell_of_the_table_is_a_formula(ella: Shopper, vendors: Vendors, start_of_it: str) -> None:
    attack = f'{start_of_it}HYPERLINK("https://evil.example") for friend@example.net'
    vendors.control("words", notificationText=json.dumps(attack))
    for line in table_of(ella)[1:]:
        assert line[1].startswith("'")
        assert "friend@example.net" not in line[1]


def test_nobody_else_gets_a_table(shopper: Shopper, service: Service, vendors: Vendors) -> None:
    assert shopper.request("GET", "/activity.csv").status_code == 401
    assert service.signed_in("blake").request("GET", "/activity.csv").headers["location"].endswith("/blocked")
    tara = service.signed_in("tara")
    vendors.control("member", persona="tara", state="blocked", refused=False)
    assert tara.request("GET", "/activity.csv").headers["location"].endswith("/blocked")
