"""The documented receivers take what we send, and nothing that somebody else sends."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import httpx2
import pytest
from support.concurrency import until
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Start, Vendors, Work
from support.snippets import by_bash, to_run

from bff.devstack.servers import free_port
from bff.settings.readers import events_secret
from bff.stores.outbox import EventType
from tools.npm import BIN

DOCUMENT = "docs/outbound-webhook.md"
PROGRAMS = {"js": ("receiver.mjs", str(BIN / "node")), "python": ("receiver.py", sys.executable)}


@contextmanager
def running(language: str, folder: Path, port: int, secret: str) -> Iterator[Path]:
    """The documented program; what it prints is in the file."""
    (block,) = to_run(DOCUMENT, language)
    name, command = PROGRAMS[language]
    (folder / name).write_text(block.text, "utf-8")
    said = folder / "said"
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), "EVENTS_WEBHOOK_SECRET": secret}
    with said.open("wb") as output, (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603  # A document of ours.
            [command, str(folder / name)], env=environment, stdout=output, stderr=errors
        )
        try:
            yield said
        finally:
            process.kill()
            process.wait(timeout=10)


def secret_of(folder: Path) -> str:
    """Made by the documented command."""
    (block,) = to_run(DOCUMENT, "sh")
    made = by_bash(block, folder).strip()
    assert events_secret(made) == made
    return made


def forged(url: str, **headers: str) -> int:
    """What is answered to an event that we have not sent."""
    body = json.dumps({"type": "redeemed", "timestamp": "2026-01-01T00:00:00Z", "data": {"customerId": "forged"}})
    given = {"webhook-id": "msg_forged", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,Zm9vYmFy"}
    sent = {name: value for name, value in (given | headers).items() if value}
    return httpx2.post(url, content=body, headers=sent, trust_env=False, timeout=10).status_code


@pytest.mark.parametrize("language", PROGRAMS)
def test_P12_the_documented_receivers_take_what_is_ours_alone(
    language: str, start: Start, work: Work, vendors: Vendors, tmp_path: Path
) -> None:
    port, secret = free_port(), secret_of(tmp_path)
    url = f"http://localhost:{port}/loyalty"
    settings = {"EVENTS_WEBHOOK_URL": url, "EVENTS_WEBHOOK_SECRET": secret}
    with running(language, tmp_path, port, secret) as said:
        ella = start(**settings).signed_in("ella")
        assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
        work(**settings)
        until(lambda: len(said.read_text().splitlines()) == 2, 30)
        customer = vendors.member("ella")["customerId"]
        assert sorted(said.read_text().splitlines()) == [f"redeemed {customer}", f"signed_in {customer}"]
        forgeries: tuple[dict[str, str], ...] = (
            {}, {"webhook-signature": ""}, {"webhook-signature": "v1"}, {"webhook-signature": "v2,Zm9v v1,"},
            {"webhook-timestamp": ""}, {"webhook-timestamp": "now"}, {"webhook-timestamp": "0"}, {"webhook-id": ""},
        )  # fmt: skip
        assert [forged(url, **headers) for headers in forgeries] == [401] * len(forgeries)
        assert "forged" not in said.read_text()


def test_the_documented_event_and_list_are_those_that_are_sent() -> None:
    (block,) = to_run(DOCUMENT, "json")
    shown = json.loads(block.text)
    assert list(shown) == ["type", "timestamp", "data"]
    rows = [
        line.strip("| ").split(" | ") for line in (ROOT / DOCUMENT).read_text().splitlines() if line.startswith("| `")
    ]
    told = {row[0].strip("`"): row[2] if len(row) > 2 else "" for row in rows}
    assert told.pop("type")
    assert set(told) == set(get_args(EventType))
    assert [name for name in shown["data"] if name != "customerId" and f"`{name}`" not in told["redeemed"]] == []
