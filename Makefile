# Everything works on a fresh Linux or macOS with Python 3.11 or newer, pip and make (GNU make 3.81 will do).

BIN = .venv/bin
# These files say which list of packages is in .venv: what `make run` needs, and with the tools for tests.
RUN = .venv/has-run
DEV = .venv/has-dev
# Most of a test is waiting for servers, so more of them run at once than there are processors. Each of these processes
# reads all tests, which takes twice as long where Python is told not to keep what it has compiled.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 6 --dist loadgroup --no-loadscope-reorder --durations=25
COMPILE = $(BIN)/uv --system-certs pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header -q

# The lists are complete, so nobody has to find out what each package needs.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r
UV_INSTALL = $(BIN)/uv --system-certs pip install --python $(BIN)/python --no-deps $(BYTECODE) --require-hashes -r
# Shows what installers say only if they fail. Meanwhile .venv does not count as made: broken off, it is made anew.
BEGIN = @trap 'exit 1' INT TERM; mv .venv/made .venv/unmade;
END = mv .venv/unmade .venv/made; touch $@
define INSTALL
$(BEGIN) \
{ $(UV_INSTALL) $< || { echo 'uv cannot install here, so pip does, which takes longer ...' >&3; $(PIP_INSTALL) $<; }; } \
	3>&1 >.venv/log 2>&1 || { cat .venv/log >&2; exit 1; }; \
$(END)
endef

# Prints the first Chromium there is and ends its shell well, or ends it badly.
FIND_CHROMIUM = \
	for place in "$$CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable \
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
		"/Applications/Chromium.app/Contents/MacOS/Chromium"; do \
		if [ -n "$$place" ] && command -v "$$place"; then exit 0; fi; \
	done; \
	command -v "$$($(BIN)/python -c 'from playwright.sync_api import sync_playwright as start; \
		p = start().start(); print(p.chromium.executable_path); p.stop()')" || exit 1
NO_CHROMIUM = printf '%s\n' '' \
	"No Chromium was found, and the browser tests need one. Any of these will do:" \
	"  Debian, Ubuntu   apt-get install chromium" \
	"  macOS            brew install --cask google-chrome" \
	"  anywhere         $(BIN)/playwright install chromium" \
	"  you have one     CHROMIUM=/path/to/it make test" ""

# Debian keeps PgBouncer where only root looks.
FIND_PGBOUNCER = \
	for place in "$$PGBOUNCER" pgbouncer /usr/sbin/pgbouncer /usr/local/sbin/pgbouncer /opt/homebrew/bin/pgbouncer; do \
		if [ -n "$$place" ] && command -v "$$place"; then exit 0; fi; \
	done; exit 1
NO_PGBOUNCER = printf '%s\n' '' \
	"No PgBouncer was found, and the tests behind a connection pooler need one:" \
	"  Debian, Ubuntu   apt-get install pgbouncer" \
	"  macOS            brew install pgbouncer" \
	"  you have one     PGBOUNCER=/path/to/it make test" ""

# Says in which folder the programs of the oldest PostgreSQL are that is supported; Debian keeps them out of the PATH.
FIND_POSTGRESQL_15 = \
	for place in "$$POSTGRESQL_15" /usr/lib/postgresql/15/bin /opt/homebrew/opt/postgresql@15/bin \
		/usr/local/opt/postgresql@15/bin; do \
		if [ -n "$$place" ] && [ -x "$$place/initdb" ]; then echo "$$place"; exit 0; fi; \
	done; exit 1
NO_POSTGRESQL_15 = printf '%s\n' '' \
	"No PostgreSQL 15 was found, and the tests with the oldest one that is supported need it:" \
	"  Debian 12        apt-get install postgresql-15" \
	"  macOS            brew install postgresql@15" \
	"  you have one     POSTGRESQL_15=/folder/of/its/programs make test" ""

FIND_PROMTOOL = \
	for place in "$$PROMTOOL" promtool /opt/homebrew/bin/promtool; do \
		if [ -n "$$place" ] && command -v "$$place"; then exit 0; fi; \
	done; exit 1
NO_PROMTOOL = printf '%s\n' '' \
	"No promtool was found, and the tests of the alert rules need it. It comes with Prometheus:" \
	"  Debian, Ubuntu   apt-get install prometheus" \
	"  macOS            brew install prometheus" \
	"  you have one     PROMTOOL=/path/to/it make test" ""

# Debian keeps nginx where only root looks.
FIND_NGINX = \
	for place in "$$NGINX" nginx /usr/sbin/nginx /usr/local/sbin/nginx /opt/homebrew/bin/nginx; do \
		if [ -n "$$place" ] && command -v "$$place"; then exit 0; fi; \
	done; exit 1
NO_NGINX = printf '%s\n' '' \
	"No nginx was found, and the example behind a reverse proxy needs one:" \
	"  Debian, Ubuntu   apt-get install nginx-light" \
	"  macOS            brew install nginx" \
	"  you have one     NGINX=/path/to/it make examples" ""

FIND_FIREFOX = \
	for place in "$$FIREFOX" firefox-esr firefox /Applications/Firefox.app/Contents/MacOS/firefox; do \
		if [ -n "$$place" ] && command -v "$$place"; then exit 0; fi; \
	done; exit 1
NO_FIREFOX = printf '%s\n' '' \
	"No Firefox was found, and the examples are tried in it as well:" \
	"  Debian           apt-get install firefox-esr" \
	"  macOS            brew install --cask firefox" \
	"  you have one     FIREFOX=/path/to/it make examples" ""

.PHONY: help client examples messages run test test-long bench bench-growth bench-hosts bench-overload bench-phone check sbom \
	audit chromium pgbouncer postgresql-15 prometheus nginx-light firefox-esr requirements

help:
	@echo 'make run            everything on this machine; PORT and SANDBOX_PORT choose the ports'
	@echo 'make test           lint, types, import contracts and all tests'
	@echo 'make examples       the storefronts of examples/, built and driven by Chromium and Firefox'
	@echo 'make test-long      the tests that repeat something for breadth, as often as tests/support/breadth.py says'
	@echo 'make bench          what an answer costs, beside a bare server and peers that do the same work (Linux)'
	@echo 'make bench-growth   whether a million sessions and a million rows make it slower (a quarter of an hour, Linux)'
	@echo 'make bench-hosts    several web processes on several hosts, over the same stores (root, Linux)'
	@echo 'make bench-overload who is served, and how soon, when far more is asked than can be done'
	@echo 'make bench-phone    how soon pages are there on a slow phone, and what they weigh (Chromium)'
	@echo 'make check          lint, types, translations and import contracts only'
	@echo 'make messages       find the texts of code and templates, and bring locales/ up to date'
	@echo 'make client         build what storefronts load into static/, and the package into .run/client'
	@echo 'make sbom           what serves is made of (CycloneDX) and its licences, into .run/sbom'
	@echo 'make audit          known vulnerabilities of all packages, where osv.dev can be asked'
	@echo 'make requirements   write requirements*.txt anew from pyproject.toml'

# One simple command, so that make starts it without a shell in between and its signals arrive.
run: $(RUN)
	@$(BIN)/python -m bff sandbox

# A test that waits for something may fail on a machine that has no time for it; what is wrong fails alone as well. The
# third that fails again ends it. Exit status 1 says that tests failed, all others that there is more to mend.
AGAIN = { [ $$? = 1 ] && echo "What failed is tried once more, one test at a time." && \
	$(PYTEST) -n 0 -m "$$marked" --last-failed --last-failed-no-failures none --maxfail 3 && \
	echo "THE TESTS ABOVE PASSED ONLY WHEN THEY WERE ALONE. See docs/testing.md."; }

# $(1) are the markers of the tests to run, $(2) is what else is looked for, and $(3) is for pytest.
TESTED = marked='$(1)'; without=; \
	and_not() { marked="$${marked:+$$marked and }not $$1"; without="$$without $$1"; }; \
	if chromium=$$($(FIND_CHROMIUM)); then echo "Browser tests use $$chromium"; else $(NO_CHROMIUM); and_not browser; fi; \
	if pgbouncer=$$($(FIND_PGBOUNCER)); then echo "Pooler tests use $$pgbouncer"; else $(NO_PGBOUNCER); and_not pooler; fi; \
	if postgresql=$$($(FIND_POSTGRESQL_15)); then echo "The oldest PostgreSQL is in $$postgresql"; \
		else $(NO_POSTGRESQL_15); and_not oldest_postgresql; fi; \
	if promtool=$$($(FIND_PROMTOOL)); then echo "Tests of the alert rules use $$promtool"; else $(NO_PROMTOOL); and_not promtool; fi; \
	$(2) \
	if [ -n "$$without" ] && [ "$$CI" = true ]; then exit 1; fi; \
	export CHROMIUM="$$chromium" PGBOUNCER="$$pgbouncer" POSTGRESQL_15="$$postgresql" PROMTOOL="$$promtool"; \
	$(PYTEST) $(3) -m "$$marked" || $(AGAIN) || exit 1; \
	if [ -n "$$without" ]; then echo "WITHOUT THE TESTS OF:$$without. What they need was not found, see above."; fi

# What else the examples need.
WITH_EXAMPLES = \
	if nginx=$$($(FIND_NGINX)); then echo "The reverse proxy is $$nginx"; else $(NO_NGINX); and_not nginx; fi; \
	if firefox=$$($(FIND_FIREFOX)); then echo "Firefox is $$firefox"; else $(NO_FIREFOX); and_not firefox; fi; \
	export NGINX="$$nginx" FIREFOX="$$firefox";

test: check
	@$(call TESTED,not examples)

# Each of these tests is a browser, a shop and two servers; those of a file share a shop, which is built in its folder.
examples: $(DEV) client
	@$(call TESTED,examples,$(WITH_EXAMPLES),-n 3 --dist loadfile)

# Another CRASH_SEED tells other stories.
test-long: $(DEV)
	@BREADTH=long; export BREADTH; $(call TESTED,broad)

bench: $(RUN)
	@$(BIN)/python -m benchmarks.compare
	@$(BIN)/python -m benchmarks.webhooks

bench-growth: $(RUN)
	@$(BIN)/python -m benchmarks.growth

bench-hosts: $(RUN)
	@$(BIN)/python -m benchmarks.hosts

bench-overload: $(RUN)
	@$(BIN)/python -m benchmarks.overload

bench-phone: $(DEV)
	@CHROMIUM=$$($(FIND_CHROMIUM)) || { $(NO_CHROMIUM); exit 1; }; export CHROMIUM; $(BIN)/python -m benchmarks.phone

# What lint-imports says is kept apart from what mypy says meanwhile; none that fails hides another.
check: $(DEV)
	@mkdir -p .run; \
	$(BIN)/lint-imports >.run/contracts 2>&1 & contracts=$$!; \
	$(BIN)/ruff check .; lint=$$?; \
	$(BIN)/ruff format --check .; format=$$?; \
	$(BIN)/mypy; types=$$?; \
	$(BIN)/python -m tools.messages --check; messages=$$?; \
	wait $$contracts; contracts=$$?; cat .run/contracts; \
	[ "$$lint $$format $$types $$messages $$contracts" = '0 0 0 0 0' ]

messages: $(DEV)
	@$(BIN)/python -m tools.messages

client: $(DEV)
	@$(BIN)/python -m tools.client

sbom: $(RUN)
	@$(BIN)/python -m tools.sbom .run/sbom && ls .run/sbom/*

audit: .venv/has-uv $(RUN)
	@$(BIN)/python -m tools.audit

# Says where Chromium is, or fails.
chromium: $(DEV)
	@$(FIND_CHROMIUM)

# Says where PgBouncer is, or fails.
pgbouncer:
	@$(FIND_PGBOUNCER)

# Says where PostgreSQL 15 is, or fails.
postgresql-15:
	@$(FIND_POSTGRESQL_15)

# Say where nginx and Firefox are, or fail; named as the packages that bring them.
nginx-light:
	@$(FIND_NGINX)
firefox-esr:
	@$(FIND_FIREFOX)

# Says where promtool is, or fails; the target is named as the package that brings it.
prometheus:
	@$(FIND_PROMTOOL)

requirements: .venv/has-uv
	$(COMPILE) --group uv -o requirements-uv.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra run -c requirements.txt -o requirements-run.txt
	$(COMPILE) pyproject.toml --extra otel -c requirements.txt -o requirements-otel.txt
	$(COMPILE) pyproject.toml --extra sentry -c requirements.txt -o requirements-sentry.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements-run.txt -c requirements-otel.txt -c requirements-sentry.txt \
		-o requirements-dev.txt

# Compiled in advance, with what it needs: else each of the processes that run tests would compile for itself.
$(DEV): BYTECODE = --compile-bytecode
$(DEV): requirements-dev.txt $(RUN)
	@if [ -e $@ ]; then echo 'Updating the tools for tests ...'; \
	else echo 'Installing the tools for tests (first run only) ...'; fi
	$(INSTALL)

$(RUN): requirements-run.txt .venv/has-uv
	@if [ -e $@ ]; then echo 'Updating the packages ...'; \
	else echo "Installing $$(grep == $< | grep -vc -e "== '" -e "< '") packages (first run only) ..."; fi
	$(INSTALL)

.venv/has-uv: requirements-uv.txt .venv/made
	@echo 'Fetching uv, which installs the rest ...'
	$(BEGIN) $(PIP_INSTALL) $< >.venv/log 2>&1; $(END)

.venv/made: $(BIN)/python
	@found=; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3; do \
		version=$$("$$python" -c 'import sys; print(sys.version.split()[0]); sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null) || continue; \
		found=$$python; \
		if "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
			echo "Creating .venv with Python $$version ..."; \
			"$$python" -m venv --clear .venv && exec touch $@; \
			exit 1; \
		fi; \
	done; \
	if [ -n "$$found" ]; then \
		echo "$$found cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; \
	else \
		echo 'Python 3.11 or newer is needed. Install it, or name it: make PYTHON=/path/to/python3' >&2; \
	fi; \
	exit 1

# Without a recipe: where it is gone, as after an update of Python, .venv is made anew.
$(BIN)/python:
