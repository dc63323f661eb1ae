"""What `make run` starts: the two embedded servers for themselves, and the whole with stand-ins for our programs."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from bff.devstack.greeting import PERSONAS
from bff.devstack.servers import Server, free_port, postgres, valkey
from bff.devstack.stack import PASSED_ON, environment, sandbox_environment
from bff.settings.read import read_settings
from bff.settings.table import SETTINGS

ROOT = Path(__file__).parents[2]
Start = Callable[[Path], AbstractContextManager[Server]]


def answers(server: Server) -> bool:
    if server.name == "PostgreSQL":
        with psycopg.connect(server.url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    with redis.Redis.from_url(server.url) as client:
        return bool(client.ping())


def listens(url: str) -> bool:
    address = (urlsplit(url).hostname, urlsplit(url).port)
    with suppress(ConnectionRefusedError, ConnectionResetError), socket.create_connection(address):
        return True
    return False


def exists(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


both = pytest.mark.parametrize("start", [postgres, valkey])


@both
def test_an_embedded_server_answers_and_leaves_no_process_behind(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as server:
        assert answers(server)
        pid = server.pid
    assert not exists(pid)
    assert not listens(server.url)


@both
def test_an_embedded_server_can_be_stopped_and_started_again(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as server:
        server.stop()
        assert not listens(server.url)
        server.start()
        assert answers(server)


@both
def test_an_embedded_server_that_was_killed_can_be_started_again(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as server:
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        assert answers(server)


@both
def test_an_embedded_server_that_is_paused_is_stopped_all_the_same(start: Start, tmp_path: Path) -> None:
    with start(tmp_path) as server:
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)
    assert not exists(pid)


def test_what_was_written_to_postgres_survives_a_restart(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        server.stop()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_stranger_on_this_machine_cannot_enter_postgres(tmp_path: Path) -> None:
    with postgres(tmp_path) as server, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{urlsplit(server.url).port}/postgres")


KILLED = """
import os, signal, sys
from pathlib import Path
from bff.devstack.servers import postgres, valkey
with postgres(Path(sys.argv[1])) as database, valkey(Path(sys.argv[1])) as store:
    print(database.url, store.url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_servers_end_with_a_program_that_was_killed(tmp_path: Path) -> None:
    killed = subprocess.run(  # noqa: S603  # The command is ours.
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    latest = time.monotonic() + 10
    for url in killed.stdout.split():
        while listens(url):
            assert time.monotonic() < latest, "a server outlived the program that started it"


def test_the_settings_made_up_for_development_are_fit() -> None:
    made_up = environment(8000, 8001, "postgresql://localhost/loyalty", "redis://localhost/0")
    settings = read_settings(made_up)
    assert (settings.environment, settings.public_url) == ("development", "http://localhost:8000")
    assert settings.shopify.shop_url == settings.okendo.api_url == settings.subtotal.api_url == "http://localhost:8001"
    assert made_up["SECRET_KEYS"] != environment(8000, 8001, "", "")["SECRET_KEYS"]


def test_the_sandbox_is_told_where_to_send_shoppers_back() -> None:
    service = environment(8000, 8001, "", "") | {"BASE_PATH": "/loyalty"}
    told = sandbox_environment(service)
    assert told["SANDBOX_PORT"] == "8001"
    assert told["SANDBOX_REDIRECT_URIS"] == "http://localhost:8000/loyalty/callback"
    assert told["SHOPIFY_CLIENT_SECRET"] == service["SHOPIFY_CLIENT_SECRET"]
    assert "SECRET_KEYS" not in told


# The whole

STAND_IN = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/end":
            print("the kettle is empty", file=sys.stderr, flush=True)
            os._exit(3)
        body = json.dumps(dict(os.environ)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

def serve(port):
    HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""
SERVICE = """
import os, sys, time
if sys.argv[1] == "migrate":
    assert "postgresql://" in os.environ["DATABASE_URL"]
    sys.exit("there is no such table" if os.path.exists("no-tables") else 0)
if sys.argv[1] == "worker":
    print("worker_started", flush=True)
    time.sleep(600)
from bff import serve
serve(os.environ["PORT"])
"""
SANDBOX = """
import json
import os
from bff import serve
serve(os.environ["SANDBOX_PORT"])
"""
RUN = "import sys; from pathlib import Path; from bff.devstack.stack import run; run(Path(sys.argv[1]))"


class Whole:
    """A running `make run` with stand-ins for the service and the sandbox."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.port, self.sandbox_port = free_port(), free_port()
        ports = {"PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)}
        self.process = subprocess.Popen(  # noqa: S603  # The command is ours.
            [sys.executable, "-c", RUN, str(root)],
            cwd=ROOT,
            env=os.environ | ports | {"TMPDIR": str(root)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said_until(self, line: str) -> str:
        assert self.process.stdout is not None
        said = ""
        for one in self.process.stdout:
            said += one
            if one == line + "\n":
                break
        return said

    def said_until_end_of(self, words: str, lines: int) -> str:
        """What is said next, up to so many lines from the one with these words on."""
        assert self.process.stdout is not None
        said = ""
        while words not in said:
            said += self.process.stdout.readline()
        return said + "".join(self.process.stdout.readline() for _ in range(lines - 1))

    def get(self, port: int, path: str) -> bytes:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read()

    def end(self) -> tuple[int, str]:
        """Wait for the end; the status, and what was said to standard error."""
        _, complaint = self.process.communicate(timeout=30)
        assert not listens(f"http://127.0.0.1:{self.port}")
        assert not listens(f"http://127.0.0.1:{self.sandbox_port}")
        return self.process.returncode, complaint


@contextmanager
def whole(root: Path, **environment: str) -> Iterator[Whole]:
    running = Whole(root, **environment)
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.communicate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout in which the service and the sandbox are a few lines each."""
    (tmp_path / "bff" / "sandbox").mkdir(parents=True)
    (tmp_path / "bff" / "__init__.py").write_text(STAND_IN)
    (tmp_path / "bff" / "__main__.py").write_text(SERVICE)
    (tmp_path / "bff" / "sandbox" / "__init__.py").touch()
    (tmp_path / "bff" / "sandbox" / "__main__.py").write_text(SANDBOX)
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_ready_once_all_answer_and_a_signal_stops_all(root: Path, number: signal.Signals) -> None:
    with whole(root) as running:
        said = running.said_until(f"ready: http://localhost:{running.port}")
        assert said.endswith(f"\nready: http://localhost:{running.port}\n")
        assert all(f"  {persona} " in said for persona in PERSONAS)
        assert b"DATABASE_URL" in running.get(running.port, "/")
        storefronts = json.loads(running.get(running.port, "/"))["STOREFRONT_ORIGINS"]
        assert storefronts == f"http://localhost:{running.sandbox_port},http://localhost:3000"
        assert b"DATABASE_URL" not in running.get(running.sandbox_port, "/")
        running.process.send_signal(number)
        running.process.send_signal(number)
        assert running.end() == (0, "")


def test_a_part_that_ends_by_itself_is_named_with_its_last_lines_and_all_stops(root: Path) -> None:
    with whole(root) as running:
        running.said_until(f"ready: http://localhost:{running.port}")
        with suppress(ConnectionError):
            running.get(running.sandbox_port, "/end")
        status, complaint = running.end()
        assert status == 1
        assert "Sandbox ended by itself with status 3." in complaint
        assert "the kettle is empty" in complaint


def test_a_worker_that_ends_by_itself_stops_all(root: Path) -> None:
    main = root / "bff" / "__main__.py"
    main.write_text(main.read_text().replace("time.sleep(600)", "time.sleep(0.5); sys.exit('no work left')"))
    with whole(root) as running:
        status, complaint = running.end()
        assert status == 1
        assert "Worker ended by itself with status 1." in complaint
        assert "no work left" in complaint


def test_tables_that_cannot_be_made_are_explained_and_nothing_goes_on(root: Path) -> None:
    (root / "no-tables").touch()
    with whole(root) as running:
        status, complaint = running.end()
        assert status == 1
        assert "python -m bff migrate failed with status 1." in complaint
        assert "there is no such table" in complaint


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_one_line_that_names_the_variable(root: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        with whole(root, **{name: taken}) as running:
            _, complaint = running.process.communicate(timeout=30)
    assert running.process.returncode == 1
    assert complaint.startswith(f"Port {taken} is taken by another program: choose another port with {name}, ")
    assert complaint.count("\n") == 1


def test_settings_in_the_shell_do_not_reach_the_parts_but_the_base_path_and_the_storefronts_do(root: Path) -> None:
    storefront = {"STOREFRONT_ORIGINS": "http://localhost:5173", "SESSION_TICKETS_TOKEN": "a-token-of-the-storefronts"}
    with whole(
        root, SHOPIFY_CLIENT_ID="left-over", DATABASE_URL="left-over", BASE_PATH="/club/", **storefront
    ) as running:
        said = running.said_until(f"ready: http://localhost:{running.port}")
        assert f"http://localhost:{running.port}/club/" in said
        settings = running.get(running.port, "/")
        assert b"left-over" not in settings
        assert b'"BASE_PATH": "/club"' in settings
        given = json.loads(settings)
        # The sandbox's own storefront comes before it.
        assert given["STOREFRONT_ORIGINS"].endswith(",http://localhost:5173")
        assert given["SESSION_TICKETS_TOKEN"] == storefront["SESSION_TICKETS_TOKEN"]


def test_storefronts_get_tickets_and_carts_without_any_setting(root: Path) -> None:
    with whole(root) as running:
        said = running.said_until_end_of("SHOPIFY_STOREFRONT_TOKEN=", 1)
        given, vendor = (json.loads(running.get(port, "/")) for port in (running.port, running.sandbox_port))
    assert f"  SESSION_TICKETS_TOKEN={given['SESSION_TICKETS_TOKEN']}\n" in said
    assert f"  SHOPIFY_STOREFRONT_TOKEN={vendor['SHOPIFY_STOREFRONT_TOKEN']}\n" in said
    assert f"  SHOPIFY_STOREFRONT_URL=http://localhost:{running.sandbox_port}/api/" in said
    assert given["SHOPIFY_STOREFRONT_TOKEN"] == vendor["SHOPIFY_STOREFRONT_TOKEN"]


def test_a_token_of_a_developers_own_is_not_printed(root: Path) -> None:
    with whole(root, SESSION_TICKETS_TOKEN="a-token-of-the-developers-own-0123456789") as running:
        said = running.said_until_end_of("SHOPIFY_STOREFRONT_TOKEN=", 1)
    assert "SESSION_TICKETS_TOKEN" not in said


def test_whatever_a_developer_may_set_is_a_setting_and_reaches_the_service(root: Path) -> None:
    assert set(PASSED_ON) <= {row.name for row in SETTINGS}
    wanted = dict.fromkeys(PASSED_ON, "as-it-was-given") | {"STOREFRONT_ORIGINS": "http://localhost:5173"}
    with whole(root, **wanted) as running:
        running.said_until(f"ready: http://localhost:{running.port}")
        given = json.loads(running.get(running.port, "/"))
        assert {name: given[name].rpartition(",")[2] for name in PASSED_ON} == wanted
        # What is at PUBLIC_URL may not be there yet.
        told = json.loads(running.get(running.sandbox_port, "/"))
        assert told["SANDBOX_OKENDO_WEBHOOK_URL"] == f"http://localhost:{running.port}/webhooks/okendo"
        assert told["SANDBOX_REDIRECT_URIS"] == "as-it-was-given/callback"


def test_the_one_click_deploy_asks_for_what_is_required_and_for_nothing_unknown() -> None:
    asked = json.loads((ROOT / "app.json").read_text())["env"]
    from_heroku = {"DATABASE_URL", "VALKEY_URL"}
    assert {row.name for row in SETTINGS if row.required} - from_heroku <= asked.keys()
    assert asked.keys() <= {row.name for row in SETTINGS}


def check_what_storefronts_are_told(running: Whole, said: str) -> None:
    """The origins may call, and the command is one that can be pasted into a shell."""
    assert "  http://localhost:*\n" in said
    assert "  http://*.localhost:*\n" in said
    assert "  https://*.preview.shop.example.com\n" in said
    *_, command = said.strip().splitlines()
    assert command.startswith("  curl ")
    pasted = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602  # As people do.
    token = json.loads(pasted.stdout)["token"]
    with closing(HTTPConnection("localhost", running.port, timeout=20)) as connection:
        headers = {"Origin": "http://localhost:5173", "X-Loyalty-Csrf": "1", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/session", json.dumps({"customerAccessToken": token}), headers)
        reply = connection.getresponse()
        session = json.loads(reply.read())
        assert (reply.status, session.keys(), session["state"]) == (201, {"state", "expiresAt"}, "enrolled")
        assert reply.getheader("Access-Control-Allow-Origin") == "http://localhost:5173"


def test_the_real_service_and_the_real_sandbox_become_ready_together(tmp_path: Path) -> None:
    previews = {"PREVIEW_ORIGINS": "https://*.preview.shop.example.com", "CROSS_SITE_MODE": "partitioned"}
    with whole(ROOT, TMPDIR=str(tmp_path), **previews) as running:
        said = running.said_until(f"ready: http://localhost:{running.port}")
        assert said.endswith(f"\nready: http://localhost:{running.port}\n"), running.end()
        assert b"<h1" in running.get(running.port, "/")
        check_what_storefronts_are_told(running, running.said_until_end_of("customer token", 2))
        running.process.send_signal(signal.SIGINT)
        assert running.end() == (0, "")
