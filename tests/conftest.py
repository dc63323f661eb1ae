"""What every test stands on: real PostgreSQL, Valkey and sandbox for the whole run, and a fresh service each."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx2
import psycopg
import pytest
import redis
from support.empty_stores import emptied_at, keeping
from support.services import Clock, Log, Service, Start, Vendors, Work, in_thread, settings_for, worker_in_thread
from support.shopper import Shopper
from support.temporary_files import Folder

from bff.cli import migrate_database
from bff.devstack.servers import Server, free_port, postgres, valkey
from bff.devstack.stack import environment
from bff.sandbox.config import Config
from bff.sandbox.serving import serve
from bff.telemetry.logs import set_up

PORTS = 4
TEMPORARY = pytest.StashKey[Folder]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The process that begins the run has the folder; those that xdist starts inherit it."""
    if not hasattr(config, "workerinput"):
        config.stash[TEMPORARY] = Folder()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = session.config.stash.get(TEMPORARY, None)
    if folder is not None and (left := folder.left()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nFAILED: tests have left temporary files behind: {', '.join(left)}")  # noqa: T201


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a module that share a fixture of it go to one process; these groups begin first, for they take longest,
    and then what is repeated for breadth. All others go wherever there is room."""
    for item in items:
        if operation := getattr(item, "operation_label", None):
            # Schemathesis gives all operations of a test one id, and xdist runs one test for each id.
            item._id = item._id.with_params(operation)
        if shares_with_its_module(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    assert len({item.nodeid for item in items}) == len(items), "of two tests with one id xdist runs one"
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group") is None, "broad" not in item.keywords))


def shares_with_its_module(item: pytest.Item) -> bool:
    definitions = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]  # Nothing else knows.
    return any(found.scope == "module" for defined in definitions for found in defined)


@pytest.fixture(scope="session")
def stream() -> Log:
    """Where services in this process log, at the most talkative level."""
    stream = Log()
    set_up("debug", stream)
    return stream


@pytest.fixture
def log(stream: Log) -> Log:
    """What services in this process have logged since the test began."""
    stream.clear()
    return stream


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        migrate_database(server.url)
        yield server


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def urls() -> list[str]:
    """Addresses for services; each is registered at the sandbox's Shopify."""
    return [f"http://localhost:{free_port()}" for _ in range(PORTS)]


@pytest.fixture(scope="session")
def sandbox(urls: list[str]) -> Iterator[Vendors]:
    known = environment(1, 1, "", "")
    config = Config(
        redirect_uris=tuple(f"{url}{path}/callback" for url in urls for path in ("", "/loyalty")),
        javascript_origins=tuple(urls),
        client_secret=known["SHOPIFY_CLIENT_SECRET"],
    )
    # A connection is left well before the sandbox closes it, so that no call meets one that closes.
    limits = httpx2.Limits(keepalive_expiry=2)
    with serve(config) as address, httpx2.Client(trust_env=False, timeout=20, limits=limits) as http:
        yield Vendors(address, http)


@pytest.fixture
def vendors(sandbox: Vendors) -> Vendors:
    """The sandbox as it is when it starts: nothing has happened yet."""
    sandbox.reset()
    return sandbox


@pytest.fixture(scope="session")
def kept() -> Iterator[None]:
    """The connection by which `stores` empties the database is closed in the end."""
    with keeping():
        yield


@pytest.fixture
def stores(database: Server, store: Server, kept: None) -> Mapping[str, str]:
    """Both stores, empty."""
    emptied_at(database.url)
    with redis.Redis.from_url(store.url) as client:
        client.flushall()
    return {"DATABASE_URL": database.url, "VALKEY_URL": store.url}


@pytest.fixture
def settings(urls: list[str], stores: Mapping[str, str], vendors: Vendors) -> dict[str, str]:
    """A complete environment for a service at the first address."""
    return settings_for(urls[0], stores, vendors.url)


@pytest.fixture
def start(settings: dict[str, str], log: Log) -> Iterator[Start]:
    """Starts a service with changed settings: `start(BASE_PATH="/loyalty")`; a change to "" leaves one out."""
    with ExitStack() as stack:

        def starter(**changes: str) -> Service:
            wanted = {name: value for name, value in (settings | changes).items() if value}
            return stack.enter_context(in_thread(wanted))

        yield starter


@pytest.fixture
def service(start: Start) -> Service:
    return start()


@pytest.fixture
def work(settings: dict[str, str]) -> Iterator[Work]:
    """Starts a worker beside the service, with changed settings: `work(REDEMPTION_SETTLING_SECONDS="1")`."""
    with ExitStack() as stack:

        def starter(**changes: str) -> Clock:
            return stack.enter_context(worker_in_thread(settings | changes))

        yield starter


@pytest.fixture
def shopper(service: Service) -> Shopper:
    """Somebody who has not signed in."""
    return service.shopper()


@pytest.fixture
def ella(service: Service) -> Shopper:
    """Enrolled, 1,240 points."""
    return service.signed_in("ella")


@pytest.fixture
def penny(service: Service) -> Shopper:
    """Not joined yet, 60 points."""
    return service.signed_in("penny")


@pytest.fixture
def rows(stores: Mapping[str, str]) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """The service's own tables."""
    with psycopg.connect(stores["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def logfile(tmp_path: Path) -> Path:
    return tmp_path / "service.log"
