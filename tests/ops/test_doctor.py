"""`bff doctor`: everything that can be wrong is named with its remedy, nothing changes, and no secret is told."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.other_okendo_dialect import DIALECT, OVERRIDES
from support.processes import bff
from support.services import Service, Vendors

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


def test_a_healthy_service_has_nothing_that_failed(doctor: Doctor, vendors: Vendors) -> None:
    found = doctor(DOCTOR_CUSTOMER_TOKEN=vendors.token("ella"))
    assert (found.status, found.report["healthy"]) == (0, True)
    verdicts = found.verdicts()
    assert {verdicts[name] for name in READS | {"login", "Valkey", "PostgreSQL", "worker", "discovery", "clock"}} == {
        "ok"
    }
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
@pytest.mark.parametrize("kind", ["status:500", "status:404", "garbage", "cut_before", "huge"])
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


def test_a_clock_that_is_wrong_is_told(doctor: Doctor, vendors: Vendors) -> None:
    vendors.control("clock", advance=3600)
    assert doctor().verdicts()["clock"] == "fail"


def test_a_setting_that_is_wrong_is_a_failed_check(doctor: Doctor) -> None:
    found = doctor(PUBLIC_URL="nowhere")
    assert (found.status, found.verdicts()) == (1, {"PUBLIC_URL": "fail"})


def test_another_site_is_a_warning(doctor: Doctor) -> None:
    found = doctor(STOREFRONT_ORIGINS="https://shop.example.com", CROSS_SITE_MODE="partitioned")
    assert found.of("https://shop.example.com")["verdict"] == "warn"
    assert found.status == 0


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
    other = doctor(STOREFRONT_ORIGINS="http://localhost:3999").of("CORS for http://localhost:3999")
    assert (other["verdict"], other["detail"]) == ("fail", "PUBLIC_URL answers its preflight with 403")
    assert doctor(STOREFRONT_ORIGINS="").of("STOREFRONT_ORIGINS")["verdict"] == "warn"


def test_a_service_that_does_not_run_is_no_failure_of_its_storefronts(doctor: Doctor, settings: dict[str, str]) -> None:
    assert doctor().of(f"CORS for {settings['STOREFRONT_ORIGINS']}")["verdict"] == "warn"
