"""`bff doctor`: everything that can be wrong is named with its remedy, nothing changes, and no secret is told."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import redis
from support.fixed_vendor import fixed_vendor
from support.other_okendo_dialect import DIALECT, OVERRIDES
from support.processes import bff
from support.raw_server import identity
from support.services import ROOT, Service, Vendors
from support.snippets import by_bash, to_run

from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.row import ForMember

Doctor = Callable[..., "Examined"]
READS = {name for name, row in OPERATIONS.items() if row.method == "GET"}
MEMBERS = {name for name in READS if isinstance(OPERATIONS[name], ForMember)}


class Examined:
    """What came of one examination."""

    def __init__(self, done: "subprocess.CompletedProcess[str]", settings: Mapping[str, str]) -> None:
        self.status = done.returncode
        self.said = done.stdout + done.stderr
        self.report: dict[str, Any] = json.loads(done.stdout)
        secrets = {"SHOPIFY_CLIENT_SECRET", "OKENDO_API_KEY", "SECRET_KEYS", "DATABASE_URL", "DOCTOR_CUSTOMER_TOKEN"}
        for name in secrets & set(settings):
            assert settings[name] not in self.said, name

    def verdicts(self) -> dict[str, str]:
        return {check["name"].partition(" ")[0]: check["verdict"] for check in self.report["checks"]}

    def of(self, name: str) -> dict[str, str]:
        [check] = [one for one in self.report["checks"] if one["name"].partition(" (")[0] == name]
        return {"detail": "", "remedy": "", **check}


@pytest.fixture
def doctor(settings: dict[str, str]) -> Doctor:
    def look(**changes: str) -> Examined:
        environ = {name: value for name, value in (settings | changes).items() if value}
        return Examined(bff(environ, "doctor", "--json"), environ)

    return look


def test_whoever_has_not_told_the_shops_currency_is_told_what_that_leaves_out(doctor: Doctor) -> None:
    told = doctor().of("SHOP_CURRENCY")
    assert (told["verdict"], told["detail"]) == ("ok", "USD")
    found = doctor(SHOP_CURRENCY="").of("SHOP_CURRENCY")
    assert (found["verdict"], "left out" in found["detail"]) == ("warn", True)


def test_a_healthy_service_has_nothing_that_failed(doctor: Doctor, vendors: Vendors) -> None:
    found = doctor(DOCTOR_CUSTOMER_TOKEN=vendors.token("ella"))
    assert (found.status, found.report["healthy"]) == (0, True)
    verdicts = found.verdicts()
    assert {verdicts[name] for name in READS | {"login", "Valkey", "PostgreSQL", "discovery", "clock"}} == {"ok"}
    assert verdicts["registration"] == "ok"
    assert found.of("earning_rules")["detail"].startswith("answers with 10")


def test_it_only_reads(doctor: Doctor, vendors: Vendors) -> None:
    before = vendors.state()["members"]
    doctor(DOCTOR_CUSTOMER_TOKEN=vendors.token("ella"))
    after = vendors.state()["members"]
    assert {**after["ella"], "logins": 0} == {**before["ella"], "logins": 0}
    changing = {name for name in OPERATIONS if name not in READS | {"login"}}
    assert not [call for call in vendors.state()["calls"] if call["operation"] in changing]


def test_it_says_what_to_register_at_shopify(doctor: Doctor, settings: dict[str, str]) -> None:
    found = doctor()
    assert found.of("Callback URI")["detail"] == f"{settings['PUBLIC_URL']}/callback"
    assert found.of("JavaScript origin")["detail"] == settings["PUBLIC_URL"]
    assert found.of("Logout URI")["detail"] == f"{settings['PUBLIC_URL']}/signed-out"


def test_without_a_customers_token_member_rows_are_left_alone(doctor: Doctor, vendors: Vendors) -> None:
    found = doctor()
    assert found.verdicts()["customer"] == "note"
    assert "DOCTOR_CUSTOMER_TOKEN" in found.of("customer")["detail"]
    assert not vendors.calls("customer")
    assert "would change something" in found.of("redeem")["detail"]


def test_it_reads_for_people_too(settings: dict[str, str]) -> None:
    done = bff(settings, "doctor")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert {"settings", "register at Shopify", "stores", "shopify", "okendo"} <= set(lines)
    assert lines[-1] == "Nothing failed."
    assert "\x1b" not in done.stdout
    assert any(line.split()[:3] == ["ok", "faqs", "(guessed)"] for line in lines)


@pytest.mark.parametrize("operation", sorted(READS & {"faqs", "vip_program", "customer", "transactions"}))
@pytest.mark.parametrize("kind", ["status:400", "status:404", "status_page:404", "garbage", "huge", "redirect"])
def test_an_operation_that_fails_is_named_with_the_remedy(
    doctor: Doctor, vendors: Vendors, operation: str, kind: str
) -> None:
    token = vendors.token("ella")
    vendors.fault(operation, kind, times=9)
    found = doctor(DOCTOR_CUSTOMER_TOKEN=token)
    assert (found.status, found.verdicts()[operation]) == (1, "fail")
    assert f"[{operation}]" in found.of(operation)["remedy"]
    others = {name: verdict for name, verdict in found.verdicts().items() if name in READS - {operation}}
    assert set(others.values()) == {"ok"}


@pytest.mark.parametrize(
    "kind", ["status_page:502", "status_page:403", "status:500", "status:503", "html", "cut_before"]
)
def test_an_okendo_that_has_trouble_is_no_rows_fault(doctor: Doctor, vendors: Vendors, kind: str) -> None:
    token = vendors.token("ella")
    for operation in sorted(READS):
        vendors.fault(operation, kind, times=9)
    found = doctor(DOCTOR_CUSTOMER_TOKEN=token)
    assert {found.of(name)["verdict"] for name in READS} == {"fail"}
    assert {found.of(name)["remedy"] for name in READS} == {
        "Ask again later. If it stays so, look at OKENDO_API_URL and ask Okendo; no row is wrong."
    }


def test_a_login_behind_a_cdn_is_no_rows_and_no_tokens_fault(doctor: Doctor, vendors: Vendors) -> None:
    token = vendors.token("ella")
    for kind in ("status_page:502", "status_page:401"):
        vendors.fault("login", kind, times=1)
        told = doctor(DOCTOR_CUSTOMER_TOKEN=token).of("login")
        assert (told["verdict"], "no row is wrong" in told["remedy"]) == ("fail", True)


@pytest.mark.parametrize(("persona", "verdict"), [("penny", "note"), ("ella", "fail")])
def test_a_no_that_is_documented_of_who_has_not_joined_is_no_rows_fault(
    doctor: Doctor, vendors: Vendors, persona: str, verdict: str
) -> None:
    token = vendors.token(persona)
    vendors.fault("spend", "status:403", times=9)
    told = doctor(DOCTOR_CUSTOMER_TOKEN=token).of("spend")
    assert (told["verdict"], "[spend]" in told["remedy"]) == (verdict, verdict == "fail")
    assert ("of a customer who is pending" in told["detail"]) is (verdict == "note")


def test_a_customer_without_anything_to_list_is_no_rows_fault(doctor: Doctor, vendors: Vendors) -> None:
    told = doctor(DOCTOR_CUSTOMER_TOKEN=vendors.token("penny")).of("referrals")
    assert (told["verdict"], told["remedy"]) == ("note", "")
    assert told["detail"].startswith("answers with an empty list")


def test_a_value_that_is_the_same_as_none_is_a_value(doctor: Doctor) -> None:
    for answer, detail in (("", "answers with 1"), (None, "answers with 1; nothing found for answer")):
        with fixed_vendor(json.dumps({"faqs": [{"question": "Why?", "answer": answer}]}).encode()) as url:
            assert doctor(OKENDO_API_URL=url).of("faqs")["detail"] == detail


@pytest.mark.parametrize("operation", ["customer", "legal_policies", "faqs"])
def test_a_field_that_was_renamed_is_named_with_those_that_are_there(
    doctor: Doctor, vendors: Vendors, operation: str
) -> None:
    old, new, ours = {
        "customer": ("status", "standing", "state"),
        "legal_policies": ("version", "edition", "version"),
        "faqs": ("question", "ask", "question"),
    }[operation]
    token = vendors.token("ella")
    vendors.control("dialect", **{operation: {"names": {old: new}}})
    told = doctor(DOCTOR_CUSTOMER_TOKEN=token).of(operation)
    assert told["verdict"] == "fail"
    assert re.search(rf"^Okendo's {operation} answer [^:]*: {ours}\. It has .*\b{new}\b", told["detail"])
    assert f"[{operation}]" in told["remedy"]


def test_wrong_paths_and_names_are_found_and_a_file_puts_them_right(
    doctor: Doctor, vendors: Vendors, tmp_path: Path
) -> None:
    token = vendors.token("ella")
    vendors.control("dialect", **DIALECT)
    wrong = doctor(DOCTOR_CUSTOMER_TOKEN=token)
    assert (wrong.status, wrong.verdicts()["faqs"], wrong.verdicts()["login"]) == (1, "fail", "fail")
    file = tmp_path / "overrides.toml"
    file.write_text(OVERRIDES, "utf-8")
    right = doctor(DOCTOR_CUSTOMER_TOKEN=token, OKENDO_OVERRIDES=str(file))
    assert right.status == 0
    assert {right.verdicts()[name] for name in READS | {"login"}} == {"ok"}


def test_a_field_that_is_never_there_is_told(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "overrides.toml"
    file.write_text('[faqs]\nnames = { answer = ["nowhere"] }\n', "utf-8")
    assert doctor(OKENDO_OVERRIDES=str(file)).of("faqs")["detail"].endswith("; nothing found for answer")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"SHOPIFY_CLIENT_SECRET": "some-other-secret-0123456789"}, "registration"),
        ({"SHOPIFY_ISSUER": "https://another.example/issuer"}, "discovery"),
        ({"SHOPIFY_SHOP_URL": "http://localhost:1"}, "discovery"),
        ({"VALKEY_URL": "valkey://127.0.0.1:1/0"}, "Valkey"),
        ({"DATABASE_URL": "postgresql://user:password@127.0.0.1:1/loyalty"}, "PostgreSQL"),
        ({"OKENDO_USER_ID": "00000000-0000-4000-8000-000000000000"}, "legal_policies"),
        ({"DOCTOR_CUSTOMER_TOKEN": "shcat_that-is-no-token-at-all"}, "login"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_is_looked_at(doctor: Doctor, changes: dict[str, str], name: str) -> None:
    found = doctor(**changes)
    assert (found.status, found.report["healthy"], found.verdicts()[name]) == (1, False, "fail")
    assert found.of(name)["remedy"]
    assert len(found.verdicts()) > 20


def test_P5_another_issuer_than_the_pinned_one_is_told(doctor: Doctor, settings: dict[str, str]) -> None:
    assert doctor().verdicts()["issuer"] == "warn"
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        assert store.keys("pin:*") == []
        store.set(f"pin:shopify-issuer:{settings['SHOPIFY_SHOP_URL']}", "https://shopify.com/authentication/1")
    found = doctor()
    assert (found.status, found.verdicts()["issuer"]) == (1, "fail")
    assert "SHOPIFY_ISSUER=https://shopify.com/authentication/" in found.of("issuer")["remedy"]


def test_whether_carts_can_be_read_is_told(doctor: Doctor, vendors: Vendors) -> None:
    assert doctor().verdicts()["carts"] == "ok"
    wrong = "no-token-that-shopify-knows"
    found = doctor(SHOPIFY_STOREFRONT_PRIVATE_TOKEN=wrong)
    assert (found.status, found.verdicts()["carts"], wrong in found.said) == (1, "fail", False)
    assert "SHOPIFY_STOREFRONT_PRIVATE_TOKEN" in found.of("carts")["remedy"]
    found = doctor(SHOPIFY_STOREFRONT_PRIVATE_TOKEN="", SHOPIFY_STOREFRONT_TOKEN="")
    assert found.verdicts()["carts"] == "note"


def test_a_refused_token_is_told_as_that(doctor: Doctor, vendors: Vendors) -> None:
    found = doctor(DOCTOR_CUSTOMER_TOKEN="shcat_that-is-no-token-at-all")
    assert found.of("login")["detail"].startswith("was refused with 401")
    assert found.of("login")["remedy"].startswith("Take a fresh token for DOCTOR_CUSTOMER_TOKEN")
    for name in sorted(MEMBERS):
        told = found.of(name)
        assert (told["verdict"], told["detail"]) == ("note", "is not asked: DOCTOR_CUSTOMER_TOKEN was refused")


def test_a_login_that_is_wrong_is_no_tokens_fault(doctor: Doctor, vendors: Vendors) -> None:
    token = vendors.token("ella")
    vendors.fault("login", "status:404", times=9)
    found = doctor(DOCTOR_CUSTOMER_TOKEN=token)
    assert found.of("login")["remedy"].startswith("Correct [login] in OKENDO_OVERRIDES")
    assert {found.of(name)["detail"] for name in MEMBERS} == {"is not asked: login failed"}


def test_an_okendo_that_is_not_there_is_no_rows_fault(doctor: Doctor, vendors: Vendors) -> None:
    found = doctor(DOCTOR_CUSTOMER_TOKEN=vendors.token("ella"), OKENDO_API_URL="http://localhost:1")
    asked = [found.of(name) for name in sorted(READS - MEMBERS | {"login"})]
    assert {(told["verdict"], told["detail"], told["remedy"]) for told in asked} == {
        ("fail", "It could not be reached.", "Look at OKENDO_API_URL, then ask again.")
    }


def test_an_operation_that_is_late_or_busy_is_not_wrong(doctor: Doctor, vendors: Vendors) -> None:
    vendors.fault("faqs", "delay", times=9, seconds=4)
    vendors.fault("vip_program", "status:429", times=9, retryAfter=30)
    found = doctor(UPSTREAM_TIMEOUT_SECONDS="2")
    assert found.of("faqs")["remedy"] == "Look at OKENDO_API_URL, then ask again."
    assert found.of("vip_program")["remedy"] == "Ask again later."


@pytest.mark.parametrize("name", ["faqs", "merchant_customer", "transactions", "login"])
def test_a_path_that_cannot_be_asked_fails_its_own_row(
    doctor: Doctor, vendors: Vendors, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "overrides.toml"
    file.write_text(f'[{name}]\npath = "/{"x" * 70_000}"', "utf-8")
    found = doctor(DOCTOR_CUSTOMER_TOKEN=vendors.token("ella"), OKENDO_OVERRIDES=str(file))
    assert found.of(name)["verdict"] == "fail"
    assert found.of(name)["remedy"].startswith(f"Correct [{name}] in OKENDO_OVERRIDES")
    assert found.of("earning_rules")["verdict"] == "ok"


def test_everything_down_is_told_soon(doctor: Doctor) -> None:
    nowhere = "http://localhost:1"
    began = time.monotonic()
    found = doctor(
        SHOPIFY_SHOP_URL=nowhere,
        OKENDO_API_URL=nowhere,
        VALKEY_URL="valkey://127.0.0.1:1/0",
        DATABASE_URL="postgresql://user:password@127.0.0.1:1/loyalty",
        DOCTOR_CUSTOMER_TOKEN="shcat_0123456789",
    )
    assert found.status == 1
    assert {found.verdicts()[name] for name in ("Valkey", "PostgreSQL", "discovery", "faqs", "login")} == {"fail"}
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(("advance", "words"), [(600, "behind"), (-600, "ahead of")])
def test_a_clock_that_is_wrong_is_told_with_by_how_much(
    doctor: Doctor, vendors: Vendors, advance: int, words: str
) -> None:
    vendors.control("clock", advance=advance)
    found = doctor()
    for name, vendor in (("clock", "Shopify"), ("Okendo's clock", "Okendo")):
        assert found.of(name)["verdict"] == "fail"
        told = re.fullmatch(rf"ours is (\d+) s {words} {vendor}'s", found.of(name)["detail"])
        assert told
        assert abs(int(told[1]) - 600) < 30


def test_an_answer_from_a_cache_is_as_old_as_it_says(doctor: Doctor) -> None:
    hour_ago = formatdate(time.time() - 3600, usegmt=True)
    for age, verdict in (({"age": "3600"}, "ok"), ({}, "fail"), ({"age": "old"}, "warn")):
        with fixed_vendor(headers={"date": hour_ago, **age}) as url:
            assert doctor(OKENDO_API_URL=url).of("Okendo's clock")["verdict"] == verdict


@pytest.mark.parametrize(
    ("host", "days", "trusted", "words"),
    [
        ("127.0.0.1", 2, False, "issuer that this machine does not know"),
        ("127.0.0.2", 2, True, "is for another name"),
        ("127.0.0.1", -1, True, "has expired"),
    ],
)
def test_a_certificate_that_is_not_accepted_is_told(
    settings: dict[str, str], tmp_path: Path, host: str, days: int, trusted: bool, words: str
) -> None:
    """In a process that starts from nothing: whom it trusts is read with the libraries."""
    server_side, _ = identity(tmp_path, host, days=days)
    known = {"SSL_CERT_FILE": str(tmp_path / "identity.pem")} if trusted else {}
    with fixed_vendor(tls=server_side) as url:
        environ = settings | known | {"OKENDO_API_URL": url}
        command = [sys.executable, "-m", "bff", "doctor", "--json"]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    found = Examined(done, environ)
    for name in ("faqs", "legal_policies"):
        assert words in found.of(name)["detail"]
        assert found.of(name)["remedy"].startswith("Look at OKENDO_API_URL")


def test_a_setting_that_is_wrong_is_a_failed_check(doctor: Doctor) -> None:
    found = doctor(PUBLIC_URL="nowhere")
    assert (found.status, found.verdicts()) == (1, {"PUBLIC_URL": "fail"})


def test_another_site_is_a_warning(doctor: Doctor) -> None:
    found = doctor(STOREFRONT_ORIGINS="https://shop.example.com", CROSS_SITE_MODE="partitioned")
    assert found.of("https://shop.example.com")["verdict"] == "warn"
    assert found.status == 0


def test_previews_are_judged_by_their_site_too(doctor: Doctor) -> None:
    pattern = "https://*.preview.example.com"
    found = doctor(STOREFRONT_ORIGINS="", PREVIEW_ORIGINS=pattern, CROSS_SITE_MODE="partitioned")
    assert found.of(pattern)["verdict"] == "warn"
    assert "STOREFRONT_ORIGINS" not in found.verdicts()


def test_a_database_that_was_not_migrated_is_told(doctor: Doctor, settings: dict[str, str]) -> None:
    found = doctor(DATABASE_URL=settings["DATABASE_URL"].rpartition("/")[0] + "/template1")
    assert found.of("PostgreSQL")["remedy"] == "Run `python -m bff migrate`."


def test_it_says_what_is_paid_for_purchases_elsewhere_and_whether_the_keys_are_accepted(
    settings: dict[str, str],
) -> None:
    said = bff(settings, "doctor").stdout
    assert "answers, and accepts the key" in said
    assert "answers: OKENDO_API_KEY is accepted" in said
    assert "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a10; no action of Subtotal's own integration may name one of them" in said
    wrong = bff(
        settings | {"SUBTOTAL_API_KEY": "another-key", "OKENDO_API_KEY": "another-key-of-32-characters-0000"}, "doctor"
    )
    assert wrong.returncode == 1
    assert "Compare SUBTOTAL_API_KEY" in wrong.stdout
    assert "Compare OKENDO_USER_ID and OKENDO_API_KEY" in wrong.stdout
    without = bff(settings | {"SUBTOTAL_API_KEY": "", "SUBTOTAL_ACTIONS": "", "OKENDO_API_KEY": ""}, "doctor").stdout
    assert "no accounts can be linked" in without
    assert "needs OKENDO_API_KEY" in without


def test_it_asks_the_running_service_whether_the_storefronts_may_call(
    doctor: Doctor, service: Service, settings: dict[str, str]
) -> None:
    origin = settings["STOREFRONT_ORIGINS"]
    assert doctor().of(f"CORS for {origin}")["verdict"] == "ok"
    elsewhere = {"STOREFRONT_ORIGINS": "https://shop.example.com", "CROSS_SITE_MODE": "partitioned"}
    other = doctor(**elsewhere).of("CORS for https://shop.example.com")
    assert (other["verdict"], other["detail"]) == ("fail", "PUBLIC_URL answers its preflight with 403")
    assert doctor(STOREFRONT_ORIGINS="").of("STOREFRONT_ORIGINS")["verdict"] == "warn"


def test_a_service_that_does_not_run_is_no_failure_of_its_storefronts(doctor: Doctor, settings: dict[str, str]) -> None:
    assert doctor().of(f"CORS for {settings['STOREFRONT_ORIGINS']}")["verdict"] == "warn"


ORIGINS = [
    ("http://localhost:3000", {}, {"may": "ok", "cookie": "ok", "CORS": "ok"}, ""),
    ("http://localhost:5173", {}, {"may": "ok", "cookie": "ok", "CORS": "ok"}, "development admits http://localhost:*"),
    (
        "http://127.0.0.1:5173",
        {},
        {"may": "ok", "cookie": "fail", "CORS": "ok"},
        "Open the storefront under the host name",
    ),
    (
        "https://shop.example.com",
        {},
        {"may": "fail", "cookie": "fail"},
        "Add https://shop.example.com to STOREFRONT_ORIGINS",
    ),
    (
        "https://shop.example.com",
        {"CROSS_SITE_MODE": "partitioned"},
        {"may": "fail", "cookie": "warn"},
        "registrable domain",
    ),
    (
        "https://a.preview.example.com",
        {"PREVIEW_ORIGINS": "https://*.preview.example.com", "CROSS_SITE_MODE": "partitioned"},
        {"may": "ok", "cookie": "warn", "CORS": "fail"},
        "is a preview by https://*.preview.example.com of PREVIEW_ORIGINS",
    ),
    ("https://shop.example.com/", {}, {"--origin": "fail"}, "such as https://shop.example.com"),
    ("shop.example.com", {}, {"--origin": "fail"}, "such as https://shop.example.com"),
    ("*", {}, {"--origin": "fail"}, "such as https://shop.example.com"),
]


@pytest.mark.parametrize(("origin", "changes", "verdicts", "words"), ORIGINS)
def test_it_says_whether_an_origin_may_call_and_what_to_set(
    service: Service,
    settings: dict[str, str],
    vendors: Vendors,
    origin: str,
    changes: dict[str, str],
    verdicts: dict[str, str],
    words: str,
) -> None:
    calls = len(vendors.state()["calls"])
    done = bff(settings | changes, "doctor", "--json", "--origin", origin)
    found = Examined(done, settings)
    assert {name: verdict for name, verdict in found.verdicts().items() if name != "site"} == verdicts
    assert found.status == ("fail" in verdicts.values())
    assert words in bff(settings | changes, "doctor", "--origin", origin).stdout
    assert len(vendors.state()["calls"]) == calls


@pytest.mark.parametrize(
    ("origin", "given", "words"),
    [
        (
            "http://localhost:3000",
            {"ENVIRONMENT": "development", "PUBLIC_URL": "http://localhost:8000"},
            "is on this machine",
        ),
        (
            "https://pr-12.preview.shop.example",
            {
                "PUBLIC_URL": "https://loyalty.shop.example",
                "PREVIEW_ORIGINS": "https://*.preview.shop.example",
            },
            "SameSite=Lax works",
        ),
    ],
)
def test_an_origin_is_judged_on_a_machine_that_has_no_other_settings(
    origin: str, given: dict[str, str], words: str
) -> None:
    """A developer has neither the stores nor the secrets of the service."""
    done = bff(given, "doctor", "--origin", origin)
    assert words in done.stdout, done.stdout + done.stderr
    assert "  fail" not in done.stdout


def test_the_documented_question_about_an_origin_is_answered() -> None:
    (block,) = to_run("docs/storefront-development.md", "sh")
    assert "is on this machine" in by_bash(block, ROOT)


def test_an_origin_is_not_judged_by_settings_that_are_unfit(settings: dict[str, str]) -> None:
    done = bff(settings | {"PREVIEW_ORIGINS": "https://*.vercel.app"}, "doctor", "--origin", "https://a.vercel.app")
    assert done.returncode == 1
    assert "PREVIEW_ORIGINS" in done.stdout
