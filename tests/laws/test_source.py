"""What the source itself may not do: ruff's security rules, and a few of our own (checklist C6, H11, I1, N6)."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jinja2 import Environment, nodes
from support.services import ROOT
from support.source_rules import RULES, broken_by

SERVING = sorted(path for folder in ("bff", "tools") for path in (ROOT / folder).rglob("*.py"))
PRETENDED = ("bff/sandbox/", "bff/devstack/")
# Where a rule is broken on purpose, and why that is right there.
MARKS, LOGGED, NETWORK, HTML = (name for name in RULES if re.search("time$|logged$|network$|HTML$", name))
EXEMPT: dict[tuple[str, str], str] = {
    (MARKS, "bff/members/enrolment.py"): "the digest of words that everybody may read",
    (NETWORK, "bff/vendors/transport.py"): "the transport itself",
    (NETWORK, "bff/vendors/connecting.py"): "opens the transport's connections",
    (NETWORK, "bff/vendors/connection.py"): "one connection of the transport's",
    (NETWORK, "bff/vendors/answers.py"): "what such a connection brings, with the transport's errors",
    (NETWORK, "bff/vendors/tls_failures.py"): "an error of the transport's, which it raises",
    (NETWORK, "bff/vendors/upstream.py"): "sends over the transport that it is given",
    (NETWORK, "bff/vendors/shopify/oauth.py"): "hands Authlib the transport that it is given",
    (LOGGED, "bff/settings/production.py"): "the name of a setting and a sentence of ours",
    (LOGGED, "bff/vendors/okendo/reading.py"): "names of fields that look like names, no values",
    (LOGGED, "bff/vendors/shopify/discovery.py"): "the name of one of our own fields",
    (HTML, "bff/web/responses.py"): "where the sanitiser's words come in",
    (HTML, "bff/web/templates.py"): "the texts that templates have of their own, which a test below holds",
    (HTML, "bff/openapi/markdown.py"): "made of escaped words, with tags that are written there",
}
# One line for each of ruff's rules that the service relies on (https://docs.astral.sh/ruff/rules/#flake8-bandit-s).
CAUGHT_BY_RUFF = {
    "S102": "exec(given)",
    "S301": "import pickle\npickle.loads(given)",
    "S302": "import marshal\nmarshal.loads(given)",
    "S307": "eval(given)",
    "S311": "import random\ntoken = random.choice('abc')",
    "S314": "from xml.etree import ElementTree\nElementTree.fromstring(given)",
    "S324": "import hashlib\nhashlib.md5(given)",
    "S501": "import httpx\nhttpx.get('https://x.test', verify=False)",
    "S506": "import yaml\nyaml.load(given)",
    "S602": "import subprocess\nsubprocess.run(given, shell=True)",
    "S608": "query = f\"SELECT * FROM a WHERE b = '{given}'\"",
    "S701": "import jinja2\njinja2.Environment(autoescape=False)",
    "S704": "from markupsafe import Markup\nMarkup(given)",
    "S105": "password = 'correct horse battery'",
    "S106": "connect(password='correct horse battery')",
}
UNEXPLAINED = re.compile(r"#\s*noqa:\s*S\d+(?:,\s*\w+)*\s*$")


def found_in_the_service() -> set[tuple[str, str]]:
    return {
        (name, str(path.relative_to(ROOT)))
        for path in SERVING
        for name, _ in broken_by(path.read_text())
        if not str(path.relative_to(ROOT)).startswith(PRETENDED)
    }


def test_C6_N6_the_service_breaks_no_rule_but_where_it_is_said_why() -> None:
    assert len(SERVING) > 150
    assert found_in_the_service() == set(EXEMPT)


@pytest.mark.parametrize("name", RULES)
def test_C6_N6_each_rule_finds_what_breaks_it_and_nothing_else(name: str) -> None:
    rule = RULES[name]
    for source in rule.bad:
        assert name in {broken for broken, _ in broken_by(source)}, source
    for source in rule.good:
        assert name not in {broken for broken, _ in broken_by(source)}, source


@pytest.mark.parametrize("code", CAUGHT_BY_RUFF)
def test_H11_N6_ruff_refuses_it_in_the_service(code: str) -> None:
    command = [str(Path(sys.executable).with_name("ruff")), "check", "--no-cache", "--output-format", "json"]
    done = subprocess.run(  # noqa: S603  # The command is ours.
        [*command, "--stdin-filename", "bff/example.py", "-"],
        cwd=ROOT, input=CAUGHT_BY_RUFF[code], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert code in {found["code"] for found in json.loads(done.stdout)}


def test_N6_whoever_ignores_a_security_rule_says_why() -> None:
    lines = [f"{path.name}: {line}" for path in SERVING for line in path.read_text().splitlines()]
    assert [line for line in lines if UNEXPLAINED.search(line)] == []
    ignored = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["per-file-ignores"]
    security = {where for where, codes in ignored.items() if any(re.match(r"S\d", code) for code in codes)}
    assert security == {"tests/*", "benchmarks/*", "bff/devstack/*", "bff/sandbox/*"}


def test_I1_no_template_switches_escaping_off() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert len(templates) > 10
    for template in templates:
        assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup", template.read_text()), template.name


def test_I1_no_template_takes_a_text_of_anybody_else_for_its_own() -> None:
    texts_of = {"_": 1, "ngettext": 2}
    texts = [
        text
        for template in (ROOT / "templates").rglob("*.html")
        for call in Environment(autoescape=True).parse(template.read_text()).find_all(nodes.Call)
        if isinstance(call.node, nodes.Name)
        for text in call.args[: texts_of.get(call.node.name, 0)]
    ]
    assert len(texts) > 100
    assert [text for text in texts if not isinstance(text, nodes.Const)] == []
