"""Known vulnerabilities of everything that is pinned, tools included, as https://osv.dev knows them.

`uv audit` asks and reports. It reads lock files, so the pins are written as one; nothing is resolved, installed or
asked of a package index. What is given on the command line goes on to it, such as `--ignore ID`.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.sbom import ROOT, pins_of

COULD_NOT = 2
# uv's lock of a script; nothing is fetched from a registry, but each package has to name one.
HEAD = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[manifest]\nrequirements = [{needs}]\n'
PACKAGE = (
    '\n[[package]]\nname = "{0.name}"\nversion = "{0.version}"\nsource = {{ registry = "https://registry.invalid" }}\n'
)
SCRIPT = '# /// script\n# requires-python = ">=3.11"\n# dependencies = []\n# ///\n'
UNKNOWN = "The service for vulnerabilities could not be asked (see above), so it is NOT KNOWN whether there are any."


def main() -> int:
    """Returns 1 when there are vulnerabilities, 0 when there are none or when that cannot be known here."""
    pins = list(pins_of((ROOT / "requirements-dev.txt").read_text()))
    needs = ", ".join(f'{{ name = "{pin.name}", specifier = "=={pin.version}" }}' for pin in pins)
    with TemporaryDirectory() as folder:
        script = Path(folder, "pinned.py")
        script.write_text(SCRIPT)
        Path(folder, "pinned.py.lock").write_text(HEAD.format(needs=needs) + "".join(map(PACKAGE.format, pins)))
        audit = ["--system-certs", "--preview-features", "audit-command", "audit", "--frozen", "--script", str(script)]
        command = [str(Path(sys.executable).with_name("uv")), *audit, *sys.argv[1:]]
        done = subprocess.run(command, check=False)  # noqa: S603  # The command is ours.
    if done.returncode != COULD_NOT:
        return done.returncode
    print(UNKNOWN, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
