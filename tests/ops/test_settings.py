"""The environment at boot: what is unfit ends the process with one line that names the setting and the remedy, and
never the value (checklist N1, N3, A7, C5, E1)."""

import base64
import secrets
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest

from bff.errors import SettingsError
from bff.settings.groups import Group
from bff.settings.read import read_settings
from bff.settings.settings import Settings
from bff.settings.table import SETTINGS

CANARY = "canary-6b1f"


def key(raw: bytes, name: str = "k1") -> str:
    return f"{name}:{base64.b64encode(raw).decode()}"


GOOD_KEY = key(secrets.token_bytes(32))
PRODUCTION: Mapping[str, str] = {
    "PUBLIC_URL": "https://loyalty.example.com",
    "STOREFRONT_ORIGINS": "https://shop.example.com",
    "SECRET_KEYS": GOOD_KEY,
    "DATABASE_URL": "postgresql://user:password@db.internal:5432/loyalty",
    "VALKEY_URL": "rediss://:password@valkey.internal:6379/0",
    "SHOPIFY_SHOP_URL": "https://shop.example.com",
    "SHOPIFY_CLIENT_ID": "6f3a1c52-9d0e-4b7a-8c41-2e5d7f90ab13",
    "SHOPIFY_CLIENT_SECRET": secrets.token_hex(16),
    "OKENDO_USER_ID": "3c2f8a10-64be-4d59-9f7a-1b0e6c8d2f47",
    "OKENDO_PARTNER_ID": "headless-partner",
}


def refusal(**changes: str) -> SettingsError | None:
    """What a production boot with these changes says; a change to "" leaves the setting out."""
    try:
        read_settings({**PRODUCTION, **changes})
    except SettingsError as error:
        return error
    return None


def names_it_and_nothing_else(error: SettingsError | None, name: str, value: str) -> bool:
    said = str(error)
    return (
        error is not None and error.name == name and said.startswith(f"{name}: ") and (not value or value not in said)
    )


def test_a_complete_environment_is_accepted() -> None:
    found = read_settings(PRODUCTION)
    assert found.production
    assert found.secret_keys[0][0] == "k1"
    assert (found.origin, found.port, found.okendo.api_url) == (
        "https://loyalty.example.com",
        8000,
        "https://api.okendo.io",
    )


def test_the_store_may_be_named_as_heroku_names_it() -> None:
    url = PRODUCTION["VALKEY_URL"]
    assert read_settings({**PRODUCTION, "VALKEY_URL": "", "REDIS_URL": url}).valkey.url == url
    assert refusal(VALKEY_URL="", REDIS_URL="") is not None


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgres://u:p@db/x?sslmode=require&application_name=loyalty&connect_timeout=5"),
        ("DATABASE_URL", "postgresql://u:p@db:6432/x?sslmode=verify-full&sslrootcert=system"),
        ("DATABASE_URL", "postgresql://u:p@nobody.invalid/x?target_session_attrs=read-write"),
        ("VALKEY_URL", "rediss://:p@valkey:6380/1?ssl_cert_reqs=none&socket_keepalive=true"),
        ("VALKEY_URL", "valkeys://user:p@valkey.invalid:6379"),
        (
            "VALKEY_URL",
            "rediss+sentinel://user:p@one,two:26380,[::1]/loyalty?sentinel_password=q&socket_keepalive=true",
        ),
        ("VALKEY_URL", "valkeys+sentinel://:p@one/loyalty/2"),
        ("VALKEY_URL", "valkeys+cluster://user:p@one:7000,two:7000/0?ssl_cert_reqs=none"),
    ],
)
def test_what_the_stores_libraries_take_is_taken(name: str, url: str) -> None:
    assert refusal(**{name: url}) is None


# N1: one row per setting --------------------------------------------------------------------------------------------

REQUIRED = [row.name for row in SETTINGS if row.required]
UNFIT: Mapping[str, tuple[str, ...]] = {
    "ENVIRONMENT": ("prod", "Production", "test"),
    "LISTEN_HOST": ("not a host", "tést"),
    "PORT": ("0", "65536", "80a", "-1", "٣", "1.5", "9" * 5000),
    "SHOP_CURRENCY": ("usd", "US", "USDT", "$", "€", "840"),
    "PUBLIC_URL": (
        f"http://{CANARY}.example.com", f"{CANARY}.example.com", f"ftp://{CANARY}.example.com", "https://",
        f"https://user:{CANARY}@example.com", f"https://example.com/?{CANARY}", f"https://example.com/#{CANARY}",
        f"https://example.com:{CANARY}", "https://[::1", "javascript:alert(1)", "https://exa mple.com",
    ),
    "BASE_PATH": ("loyalty", "/a//b", "/../x", "/a b", "/a?b", "//evil.example", "/%2e%2e", "/ä"),
    "STOREFRONT_ORIGINS": (
        "*", "null", "https://*.example.com", "https://shop.example.com,*", "http://shop.example.com",
        "https://shop.example.com/", "https://shop.example.com/path", "https://SHOP.example.com", "shop.example.com",
        f"https://user:{CANARY}@shop.example.com", "https://.example.com", "https://shop.example.com.*", "^https://.*$",
        "https://shop.example.com https://other.example.com", "https://shop.example.com;https://other.example.com",
    ),
    "PREVIEW_ORIGINS": (
        "*", "null", "https://*", "https://shop.example.com", "https://*.*.example.com", "https://**.example.com",
        "http*://shop.example.com", "https://shop.example.com:4*", "https://shop.example.com/*", "https://*.example.com/",
        "https://*.Example.com", "http://*.preview.example.com", f"https://user*:{CANARY}@example.com", "https://*.",
        "https://*..example.com", "https://*.example.com.", "^https://.*$", "https://[::*]", "https://*.192.0.2.1",
        "https://*.preview.example.com https://*.other.example.com", "https://*.preview.example.com,*",
    ),
    "VALKEY_VERIFY_TLS": ("yes", "no", "true", "0", "OFF"),
    "DATABASE_REQUIRE_TLS": ("yes", "no", "true", "0", "OFF"),
    "VALKEY_REQUIRE_TLS": ("yes", "no", "true", "0", "OFF"),
    "LOCALE_DIR": ("/no/such/folder", "README.md"),
    "COPY": (
        f"/no/such/{CANARY}.toml", f"{CANARY} = 1", f"Rewards = '{CANARY}'", "= 1", "x",
        f"[en]\nRewards = '<b>{CANARY}</b>'",
        f"['{CANARY} x']", "[nl]", "[EN]", "en = 1", "[en]\nRewards = 1", "[en]\nRewards = ['x']", "[en]\nRewards = ''",
        "[en]\npoint = {one = 1, other = 'x'}", "[en]\nRewardz = 'x'",
        f"[en]\n'%(points)s point' = {{one = '{CANARY}'}}",
    ),
    "DEFAULT_LANGUAGE": ("english", "e", "en-", "en-USA", "éé", "en_US.UTF-8"),
    "DATABASE_CONNECTIONS": ("0", "1", "1001", "eight"),
    "VALKEY_CONNECTIONS": ("0", "1", "1001", "eight"),
    "VALKEY_TIMEOUT_SECONDS": ("0", "0.01", "26", "250ms"),
    "SHOPIFY_SHOP_URL": ("http://shop.example.com", "shop.example.com", f"https://u:{CANARY}@shop.example.com"),
    "SHOPIFY_ACCOUNTS_URL": ("http://shop.example.com", "shop.example.com", f"https://u:{CANARY}@shop.example.com"),
    "SHOPIFY_CLIENT_ID": (f"{CANARY} x", "x" * 600, "clé"),
    "STRUCTURED_DATA": ("yes", "true", "1", "On"),
    "SHOPIFY_LEGACY_TOKENS": ("yes", "true", "1", "On"),
    "OKENDO_API_URL": ("http://api.okendo.io", "api.okendo.io", "https://api.okendo.io?x", "https://"),
    "OKENDO_USER_ID": (f"{CANARY}\tx", "a b"),
    "OKENDO_PARTNER_ID": ("a b", "x\ry"),
    "SUBTOTAL_API_URL": ("http://api.example.com", "api.example.com"),
    "SUBTOTAL_LINK_URL": ("http://link.example.com", "//link.example.com"),
    "SUBTOTAL_CLIENT_ID": ("a b",),
    "OKENDO_MERCHANT_PER_SECOND": ("0", "0.05", "-1", "two", "1001", "inf"),
    "SUBTOTAL_LINK_TOKEN_URL": ("https://x.example.com/", "javascript:{token}", "{link}/{code}", "{link}/{token}{x}"),
    "SUBTOTAL_TOLERANCE_SECONDS": ("0", "9", "86401", "5m"),
    "SUBTOTAL_SIMULATED_EVENTS": ("yes", "true", "1", "on"),
    "SUBTOTAL_ACTIONS": ("/no/such/file", "[[actions]]\nevent = 'x'", "actions = 1", f"{CANARY} = 1"),
    "LAYOUT": ("none", "Bare", "embedded"),
    "THEME": (
        f"/no/such/{CANARY}.toml", f"{CANARY} = 1", f"[light]\n{CANARY} = '#000000'", "[light]\naccent = 'red'",
        f"[dark]\naccent = '{CANARY}'", "[light]\naccent = 'url(x)'", "[light]\naccent = '#12345g'", "radius = '1px'",
        "radius = true", "radius = 33", "density = 'none'", "schemes = []", "schemes = ['sepia']", "light = 1",
        f"[fonts]\ntext = '{CANARY}'", f"[fonts]\ntext = '{CANARY}.woff2'", "[fonts]\ntext = 'https://x.example/a.woff2'",
        "[logo]\nlight = 'logo.svg'", f"[hero]\npicture = '{CANARY}.png'", "[hero]\npicture = 'http://x.example/a.png'",
        "[hero]\npicture = 'https://x.example/a b.png'", "[hero]\npicture = \"https://x.example/a;script-src 'none'\"",
        "[links]\nterms = 'javascript:alert(1)'", "[links]\ncontact = 'mailto:nobody'", "[pictures]\nhosts = ['*']",
        "[pictures]\nhosts = ['https://x.example/path']", "[pictures]\nhosts = ['https://x.example; script-src *']",
        f"[pictures.of]\n{CANARY} = 'nothing.exe'", "x", "= 1",
    ),
    "REQUESTS_AT_ONCE": ("0", "100001", "many"),
    "AWARD_RETRY_SECONDS": ("0", "59", "1d", "2592001"),
    "AWARD_SETTLING_SECONDS": ("0", "-1", "x", "86401", "9"),
    "EVENTS_WEBHOOK_URL": (
        "http://hooks.example.com/loyalty", "hooks.example.com", f"https://u:{CANARY}@hooks.example.com/",
        f"https://hooks.example.com/#{CANARY}", f"https://hooks.example.com/?a#{CANARY}",
        "https://hooks.example.com/?a b", "https://localhost/", "https://127.0.0.1/", "https://10.0.0.5/hooks",
        "https://192.168.1.7/", "https://169.254.169.254/latest", "https://[::1]/", "https://[fd00::1]/",
        "https://[::ffff:10.0.0.5]/", "https://hooks/", "https://hooks.internal/", "https://hooks.local/",
    ),
    "SESSION_IDLE_SECONDS": ("0", "59", "-60", "1h", "3153600000", "60.0", "2592001"),
    "SESSION_ABSOLUTE_SECONDS": ("0", "59", "x", "31536001"),
    "SESSIONS_PER_CUSTOMER": ("0", "101", "x", "-1"),
    "UPSTREAM_TIMEOUT_SECONDS": ("0", "26", "-1", "nan", "inf", "1e1", "0.01"),
    "REQUEST_SECONDS": ("0", "31", "x", "inf"),
    "SESSION_TICKETS_TOKEN": ("short", "x" * 31, "with a space in the middle of it all", "é" * 40),
    "METRICS_TOKEN": ("short", "x" * 31, "with a space in the middle of it all", "é" * 40),
    "OTEL_EXPORTER_OTLP_ENDPOINT": (
        "http://collector.example.com:4318", "collector:4318", f"https://u:{CANARY}@collector.example.com",
        "grpc://collector.example.com:4317",
    ),
    "SENTRY_DSN": (
        CANARY, "https://sentry.example.com/1", f"https://u:{CANARY}@sentry.example.com/1", "https://key@/1",
        "https://key@sentry.example.com", "http://key0key0key0@sentry.example.com/1", f"https://key@s.example.com/1?{CANARY}",
    ),
    "REQUESTS_PER_MINUTE": ("0", "-1", "many", "1.5"),
    "REDEMPTION_CHECK_SECONDS": ("0", "1.5", "1h", "31536001"),
    "REDEMPTION_SETTLING_SECONDS": ("0", "-1", "x", "86401", "9"),
    "REDEMPTION_RETENTION_DAYS": ("0", "730", "2y", "36501"),
    "TRUSTED_HOPS": ("-1", "0", "6", "x", "*"),
    "TRUSTED_PROXIES": ("*", "proxy.internal", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8;10.1.0.0/16", f"{CANARY}/8"),
    "WEB_CONCURRENCY": ("0", "65", "auto"),
    "COUPON_APPLY_URL": ("https://shop.example.com/", "javascript:alert('{code}')", "/discount/{code}"),
    "CART_COOKIE": ("a b", "cart=1", "__Host-Http-loyalty", "é", "x" * 65, "a;b"),
    "CROSS_SITE_MODE": ("on", "yes", "none"),
    "KEEP_ALIVE_SECONDS": ("0", "3601", "5s", "-1"),
    "LOG_LEVEL": ("debug", "trace", "INFO"),
    "DATABASE_URL": (
        f"postgresql://u:{CANARY}%zz@db/x", f"mysql://{CANARY}@db/x", f"sqlite:///{CANARY}", CANARY, f"postgresql://u:p@db:{CANARY}/x",
        *(f"postgresql://u:{CANARY}@db/x?{flaw}" for flaw in (
            "sslmode=reqiure", "sslmode=", "sslmod=require", "pgbouncer=true", "connect_timeout=soon",
            "connect_timeout=", "target_session_attrs=any-at-all", "channel_binding=maybe", "keepalives=x",
            "sslmode=verify-full&sslrootcert=/no/such/file", "load_balance_hosts=q", f"sslmode={CANARY}",
        )),
    ),
    "VALKEY_URL": (
        f"memory://{CANARY}", CANARY, f"http://{CANARY}", f"redis://:{CANARY}/1@valkey:6379/0",
        *(f"rediss://:{CANARY}@valkey/0?{flaw}" for flaw in (
            "ssl_cert_reqs=sometimes", "sslmode=require", "socket_timeout=soon", f"unheard_of={CANARY}",
        )),
        *(f"rediss{kind}:{CANARY}@{rest}" for kind, rest in (
            ("://", "one,two"), ("+sentinel://", "one,two"), ("+sentinel://", "one,two/"), ("+cluster://", "one/1"),
            ("+sentinel://", "one/loyalty/first"), ("+sentinel://", "one,/loyalty"), ("+cluster://", "one,two:port"),
            ("+cluster://", "one?sentinel_password=x"), ("+replicas://", "one,two"), ("+cluster://", ""),
        )),
    ),
    "SECRET_KEYS": (
        "k1", "k1:", f"k1:{CANARY}", f":{GOOD_KEY[3:]}", f"k 1:{GOOD_KEY[3:]}", f"{'k' * 17}:{GOOD_KEY[3:]}",
        key(secrets.token_bytes(31)), f"{GOOD_KEY},k2:{CANARY}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUIRED)
def test_N1_a_missing_setting_ends_the_boot(name: str) -> None:
    for value in ("", "   "):
        assert names_it_and_nothing_else(refusal(**{name: value}), name, "")


@pytest.mark.parametrize("name", UNFIT)
def test_N1_an_unfit_setting_ends_the_boot_and_its_value_is_not_repeated(name: str) -> None:
    accepted = [value for value in UNFIT[name] if refusal(**{name: value}) is None]
    assert accepted == []
    unclear = [value for value in UNFIT[name] if not names_it_and_nothing_else(refusal(**{name: value}), name, CANARY)]
    assert unclear == []


def test_N1_every_setting_that_can_be_unfit_has_a_row() -> None:
    checked = {row.name for row in SETTINGS if row.read is not str}
    secret = {row.name for row in SETTINGS if row.secret}
    assert checked - secret - set(UNFIT) == set()


@pytest.mark.parametrize("name", [row.name for row in SETTINGS if row.secret and row.read is not str])
def test_N1_a_short_or_placeholder_secret_ends_the_boot(name: str) -> None:
    placeholders = ("x", "changeme", "secret", "CHANGE_ME", "<secret>", "your-secret-here", "xxxxxxxxxxxxxxxx", "TODO")
    accepted = [value for value in placeholders if refusal(**{name: value}) is None]
    assert accepted == []


def test_N1_a_misspelled_setting_is_never_ignored() -> None:
    # Short ones have innocent neighbours.
    optional = [
        row.name for row in SETTINGS if not row.required and row.name not in {"PORT", "THEME", "COPY", "LAYOUT"}
    ]
    ignored = [name for name in optional if refusal(**{name[:-1]: "x"}) is None]
    assert ignored == []


@pytest.mark.parametrize(
    "name", ["SHOPIFY_CLIENT_SECRETS", "OKENDO_KEY", "SUBTOTAL_TOKEN", "SECRET_KEY", "SESSION_TTL"]
)
def test_N1_an_unknown_setting_is_named_without_its_value(name: str) -> None:
    assert names_it_and_nothing_else(refusal(**{name: CANARY}), name, CANARY)


def test_N1_what_a_platform_sets_is_none_of_our_business() -> None:
    theirs = {"PATH": "/bin", "HOME": "/", "DYNO": "web.1", "PYTHONPATH": "", "HEROKU_APP_ID": "1", "LANG": "C",
              "GUNICORN_CMD_ARGS": "", "STACK": "heroku-24", "REDIS_TLS_URL": "rediss://x"}  # fmt: skip
    assert refusal(**theirs) is None


def test_N1_development_is_lenient_about_https_and_about_nothing_else() -> None:
    local = {"ENVIRONMENT": "development", "PUBLIC_URL": "http://localhost:8000", "LOG_LEVEL": "debug",
             "STOREFRONT_ORIGINS": "http://localhost:3000", "SHOPIFY_SHOP_URL": "http://localhost:8001"}  # fmt: skip
    assert refusal(**local) is None
    for change in ({"SECRET_KEYS": "k1:c2hvcnQ="}, {"STOREFRONT_ORIGINS": "*"}, {"SHOPIFY_SECRET": "x"}):
        assert refusal(**{**local, **change}) is not None, change


def test_P12_where_events_go_and_what_signs_them_come_together() -> None:
    url, secret = "https://hooks.example.com/loyalty", "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    assert refusal(EVENTS_WEBHOOK_URL=url, EVENTS_WEBHOOK_SECRET=secret) is None
    for given, missing in (("URL", "SECRET"), ("SECRET", "URL")):
        error = refusal(**{f"EVENTS_WEBHOOK_{given}": url if given == "URL" else secret})
        assert names_it_and_nothing_else(error, f"EVENTS_WEBHOOK_{missing}", url)
    for raw in (secrets.token_bytes(23), secrets.token_bytes(65), b"this is a phrase of my very own!"):
        unfit = "whsec_" + base64.b64encode(raw).decode()
        error = refusal(EVENTS_WEBHOOK_URL=url, EVENTS_WEBHOOK_SECRET=unfit)
        assert names_it_and_nothing_else(error, "EVENTS_WEBHOOK_SECRET", unfit)


# C5 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        bytes(32),
        b"\xff" * 32,
        b"secret" * 6,
        b"changeme" * 4,
        b"0123456789abcdef" * 2,
        b"abcdefghijklmnopqrstuvwxyz012345",
        b"this is not a key but a sentence",
        "ключ для печенья, а не случайный".encode(),
        b"a phrase\nwith a newline and a tab\t.\r\n",
        bytes(range(32)),
        bytes(range(255, 223, -1)),
        bytes.fromhex("8f1ac37be2905d46") * 4,
    ],
)
def test_C5_a_sample_or_a_phrase_is_no_key(raw: bytes) -> None:
    assert names_it_and_nothing_else(refusal(SECRET_KEYS=key(raw)), "SECRET_KEYS", key(raw)[3:])


def test_C5_no_two_keys_and_no_two_names_are_alike() -> None:
    one, two = secrets.token_bytes(32), secrets.token_bytes(32)
    assert refusal(SECRET_KEYS=f"{key(one, 'k2')},{key(two, 'k1')}") is None
    assert refusal(SECRET_KEYS=f"{key(one, 'k2')},{key(one, 'k1')}") is not None
    assert refusal(SECRET_KEYS=f"{key(one, 'k1')},{key(two, 'k1')}") is not None


def test_C5_a_key_may_be_written_in_any_common_base64() -> None:
    raw = bytes([251, 255, 190, 239]) + secrets.token_bytes(28)
    for text in (base64.b64encode(raw), base64.urlsafe_b64encode(raw), base64.urlsafe_b64encode(raw).rstrip(b"=")):
        assert read_settings({**PRODUCTION, "SECRET_KEYS": f"k1:{text.decode()}"}).secret_keys == (("k1", raw),)


# A7 -----------------------------------------------------------------------------------------------------------------

TWO_SITES = [
    ("https://x.herokuapp.com", "https://shop.example.com"),
    ("https://x.herokuapp.com", "https://y.herokuapp.com"),
    ("https://loyalty.example.co.uk", "https://shop.other.co.uk"),
    ("https://loyalty.example.com", "https://shop.example.org"),
    ("https://loyalty.myshopify.com", "https://shop.myshopify.com"),
    ("https://example.com.evil.test", "https://example.com"),
]


@pytest.mark.parametrize(("ours", "theirs"), TWO_SITES)
def test_A7_two_sites_end_the_boot_with_the_reason_unless_that_is_meant(ours: str, theirs: str) -> None:
    error = refusal(PUBLIC_URL=ours, STOREFRONT_ORIGINS=f"{ours},{theirs}")
    assert names_it_and_nothing_else(error, "STOREFRONT_ORIGINS", theirs)
    assert "CROSS_SITE_MODE=partitioned" in str(error)
    assert refusal(PUBLIC_URL=ours, STOREFRONT_ORIGINS=theirs, CROSS_SITE_MODE="partitioned") is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("https://loyalty.example.com", "https://example.com"),
        ("https://example.co.uk", "https://shop.example.co.uk"),
        ("https://a.b.example.com", "https://c.example.com:8443"),
    ],
)
def test_A7_one_site_is_accepted(ours: str, theirs: str) -> None:
    assert refusal(PUBLIC_URL=ours, STOREFRONT_ORIGINS=theirs) is None


# N3 -----------------------------------------------------------------------------------------------------------------


def test_N3_settings_never_show_a_secret() -> None:
    secret = {row.name: f"{CANARY}-{row.name.lower()}-{secrets.token_hex(16)}" for row in SETTINGS if row.secret}
    secret["DATABASE_URL"] = f"postgresql://user:{CANARY}@db.internal/loyalty?sslmode=verify-full"
    secret["VALKEY_URL"] = f"rediss://:{CANARY}@valkey.internal:6379/0"
    secret["SECRET_KEYS"] = GOOD_KEY
    secret["OKENDO_WEBHOOK_SECRET"] = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    secret["EVENTS_WEBHOOK_SECRET"] = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    secret["SENTRY_DSN"] = f"https://{CANARY}@sentry.example.com/1"
    settings = read_settings({**PRODUCTION, **secret, "EVENTS_WEBHOOK_URL": "https://hooks.example.com/"})
    values = {row.name: row.value_in(settings) for row in SETTINGS if row.secret and row.name != "SECRET_KEYS"}
    assert values == {name: secret[name] for name in values}
    shows: list[Callable[[object], str]] = [repr, str, "{}".format, "%r".__mod__, lambda value: repr({"a": [value]})]
    for found in structs_in(settings):
        for show in shows:
            assert CANARY not in show(found)
            assert secret["OKENDO_WEBHOOK_SECRET"] not in show(found)
            assert secret["EVENTS_WEBHOOK_SECRET"] not in show(found)
            assert GOOD_KEY[3:] not in show(found)
            assert repr(settings.secret_keys[0][1]) not in show(found)


def structs_in(found: msgspec.Struct) -> Iterator[msgspec.Struct]:
    """The settings and every group in them."""
    yield found
    for name in found.__struct_fields__:
        if isinstance(group := getattr(found, name), msgspec.Struct):
            yield from structs_in(group)


def test_every_setting_has_one_field_in_its_owners_group() -> None:
    settings = read_settings(PRODUCTION)
    fields = [
        (type(owner), name)
        for owner in structs_in(settings)
        if isinstance(owner, Settings | Group)
        for name in owner.__struct_fields__
        if not isinstance(getattr(owner, name), Group)
    ]
    owners = [(type(getattr(settings, row.group) if row.group else settings), row.field) for row in SETTINGS]
    assert sorted(owners, key=str) == sorted(fields, key=str)
