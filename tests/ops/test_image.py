"""The container image, without an engine: what the Dockerfile may hold, and that what it copies is enough."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.concurrency import until
from support.dockerfile import Instruction, copied, files_of_context, stages
from support.services import ROOT, Vendors

from bff.app import HEALTH_ROUTES
from bff.settings.table import SETTINGS
from bff.worker import STOP_SECONDS
from ops.test_settings import PRODUCTION

STAGES = stages((ROOT / "Dockerfile").read_text())
LAST = STAGES[-1]
EVERY = [instruction for stage in STAGES for instruction in stage]
OFFICIAL = re.compile(r"python:\d\.\d+-slim-[a-z]+")
SECRETS = re.compile(r"(?i)secret|token|password|api_key|_url\b")


def named(name: str, stage: list[Instruction] = LAST) -> list[Instruction]:
    return [instruction for instruction in stage if instruction.name == name]


def test_every_stage_begins_with_the_small_official_image_of_our_python() -> None:
    versions = [stage[0].words()[0] for stage in STAGES]
    assert [version for version in versions if not OFFICIAL.fullmatch(version)] == []
    assert len(set(versions)) == 1
    assert versions[0].startswith(f"python:{(ROOT / '.python-version').read_text().strip()}-slim")


def test_nobody_serves_as_root() -> None:
    [user] = named("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.given)
    after = LAST[LAST.index(user) :]
    assert {instruction.name for instruction in after} <= {"USER", "EXPOSE", "HEALTHCHECK", "CMD"}


def test_it_starts_what_the_procfile_calls_web() -> None:
    [command] = named("CMD")
    web = re.search(r"^web: (.+)$", (ROOT / "Procfile").read_text(), re.M)
    assert web is not None
    # The exec form: the process gets SIGTERM itself, and no shell does in its place.
    assert command.given.startswith("[")
    assert command.words() == web[1].split()


def test_nothing_is_fetched_but_packages_by_their_hashes() -> None:
    assert named("ADD", EVERY) == []
    runs = " ".join(instruction.given for instruction in named("RUN", EVERY))
    assert not re.search(r"curl|wget|apt|https?://|sudo|chmod 777", runs)
    assert "pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt" in runs


def test_no_secret_is_in_it() -> None:
    assert named("ARG", EVERY) == []
    assert [one for one in named("ENV", EVERY) if SECRETS.search(one.given)] == []


def test_it_copies_what_is_there_and_named_and_no_more() -> None:
    sources = [source.rstrip("/") for stage in STAGES for source, _ in copied(stage)]
    assert sources == ["requirements.txt", "bff", "locales", "migrations", "static", "templates"]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    context = {str(path.relative_to(ROOT)) for path in files_of_context(ROOT, (ROOT / ".dockerignore").read_text())}
    assert {path.partition("/")[0] for path in context} == set(sources)
    assert {"bff/cli.py", "bff/ops/server.py", "migrations/env.py", "requirements.txt"} <= context
    assert not [path for path in context if re.search(r"__pycache__|^bff/(sandbox|devstack)/|\.env$|\.git", path)]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The working folder of the image, in a folder where nothing else is."""
    context = files_of_context(ROOT, (ROOT / ".dockerignore").read_text())
    for source, target in copied(LAST):
        for file in context:
            if file.is_relative_to(ROOT / source.rstrip("/")):
                place = tmp_path / target / file.relative_to(ROOT / source.rstrip("/"))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
    return tmp_path


@pytest.fixture
def environ(settings: dict[str, str], tmp_path: Path, image: Path) -> dict[str, str]:
    live = {name: settings[name] for name in ("PORT", "DATABASE_URL", "VALKEY_URL")}
    return {**PRODUCTION, **live, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path)}


@pytest.fixture
def serving(image: Path, environ: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, *named("CMD")[0].words()[1:]]
    process = subprocess.Popen(command, cwd=image, env=dict(environ), stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def ran(image: Path, environ: Mapping[str, str], words: list[str]) -> int:
    command = [sys.executable, *words[1:]]
    done = subprocess.run(command, cwd=image, env=dict(environ), capture_output=True, timeout=60, check=False)  # noqa: S603
    return done.returncode


@pytest.mark.usefixtures("serving")
def test_what_is_copied_serves_and_is_found_healthy(image: Path, environ: dict[str, str], vendors: Vendors) -> None:
    [check] = named("HEALTHCHECK")
    words = Instruction("CMD", check.given.partition("CMD ")[2]).words()
    # Nothing is compiled yet in that folder, so it takes longer than elsewhere.
    until(lambda: ran(image, environ, words) == 0, seconds=90)
    assert ran(image, environ | {"PORT": "1"}, words) != 0


def test_what_is_copied_migrates(image: Path, environ: dict[str, str]) -> None:
    assert ran(image, environ, ["python", "-m", "bff", "migrate"]) == 0
    assert ran(image, environ, ["python", "-m", "bff", "worker", "--help"]) == 0
    assert ran(image, environ, ["python", "-m", "compileall", "-q", "bff", "migrations"]) == 0


# Kubernetes ---------------------------------------------------------------------------------------------------------

MANIFESTS = list(yaml.safe_load_all((ROOT / "docs" / "kubernetes.yaml").read_text()))
PROCESSES = dict(line.split(": ") for line in (ROOT / "Procfile").read_text().splitlines())
# How long each takes to stop at most: docs/operations.md.
STOPPING = {"serve": 25, "worker": STOP_SECONDS}


def pods() -> list[dict[str, Any]]:
    return [manifest["spec"]["template"]["spec"] for manifest in MANIFESTS if manifest["kind"] in {"Job", "Deployment"}]


def test_the_example_for_kubernetes_runs_what_the_procfile_says_before_and_beside_each_other() -> None:
    assert [one["kind"] for one in MANIFESTS] == ["Job", "Deployment", "Deployment", "Service", "Ingress"]
    containers = [container for pod in pods() for container in pod["containers"]]
    assert [" ".join(one["command"]) for one in containers] == [
        PROCESSES[name] for name in ("release", "web", "worker")
    ]
    assert len({one["image"] for one in containers}) == 1


def test_in_the_example_nobody_can_change_the_program_or_become_root() -> None:
    for pod in pods():
        assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
        }  # fmt: skip
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108  # In the image.
        assert "memory" in container["resources"]["limits"]


def test_in_the_example_whoever_stops_has_the_time_to() -> None:
    for pod in pods()[1:]:
        [container] = pod["containers"]
        waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= waits + STOPPING[container["command"][-1]]


def test_in_the_example_the_probes_ask_what_there_is() -> None:
    [web] = pods()[1]["containers"]
    asked = {name: web[name]["httpGet"] for name in ("livenessProbe", "readinessProbe", "startupProbe")}
    paths = {route.path for route in HEALTH_ROUTES}
    assert {one["path"] for one in asked.values()} <= paths
    assert (asked["livenessProbe"]["path"], asked["readinessProbe"]["path"]) == ("/healthz", "/readyz")
    assert {one["port"] for one in asked.values()} == {8000} == {port["containerPort"] for port in web["ports"]}
    [service] = [one for one in MANIFESTS if one["kind"] == "Service"]
    assert service["spec"]["selector"] == MANIFESTS[1]["spec"]["template"]["metadata"]["labels"]
    known = {row.name for row in SETTINGS}
    assert {variable["name"] for pod in pods() for one in pod["containers"] for variable in one.get("env", ())} <= known
