"""Scripts of a storefront's server, run by Node against the real service and sandbox."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tools.npm import BIN

# What every script begins with: the client, what the test gave it, and what it can tell the sandbox.
BEGIN = """
import {{ createLoyalty, LoyaltyError }} from {module};
const given = JSON.parse(process.argv[2]);
const control = async (what, body) => (await fetch(`${{given.sandbox}}/_control/${{what}}`, {{
  method: "POST", headers: {{ "Content-Type": "application/json" }}, body: JSON.stringify(body),
}})).json();
const fault = (operation, kind, times = 1, more = {{}}) => control("faults", {{ operation, kind, times, ...more }});
const token = async (persona) => (await control("token", {{ persona }})).token;
const seen = (promise) => promise.then(
  (answer) => ({{ answer }}),
  ({{ name, code, status, retryable, retryAfter, message, problem }}) =>
    ({{ name, code, status, retryable, retryAfter, message, problem }}),
);
// Every call over the wire, as the client makes it.
const wire = [];
const counted = (url, init) => {{ wire.push(`${{init.method}} ${{new URL(url).pathname}}`); return fetch(url, init); }};
const tell = (value) => console.log(JSON.stringify(value));
"""


def run(script: str, module: Path, folder: Path, **given: object) -> Any:
    """What the script tells, as JSON; `module` is the client, and `given` what the script knows as that."""
    file = folder / "script.mjs"
    file.write_text(BEGIN.format(module=json.dumps(module.as_uri())) + script, "utf-8")
    command = [str(BIN / "node"), str(file), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # Ours.
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
