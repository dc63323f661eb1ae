"""Why PostgreSQL did not let us in, in one sentence of ours.

Before somebody is let in, libpq knows no SQLSTATE, only PostgreSQL's words, and those name the host, the user and the
database. So the words are recognised and never repeated.
"""

import re

import psycopg

# The first that fits counts. Words of PostgreSQL, of PgBouncer, of libpq and of psycopg.
REASONS = (
    (r'database ".*" does not exist|no such database', "has no database of the name that is in DATABASE_URL"),
    (
        r"password|authentication failed|role .* does not exist|such user",
        "refuses the user or password of DATABASE_URL",
    ),
    (r"no pg_hba.conf entry", "lets nobody in from here as DATABASE_URL wants to, or not without TLS"),
    (r"too many (clients|connections)|connection slots|no more connections", "has no connection left for this"),
    (r"starting up|shutting down|not yet accepting|recovery", "is starting, stopping or recovering"),
    (r"failed to resolve host|could not translate host", "is not found: the host in DATABASE_URL has no address"),
    (r"server does not support SSL|SSL error|certificate|root.crt", "does not speak TLS as DATABASE_URL wants it"),
)


def why_not_connected(error: psycopg.OperationalError) -> str:
    """What comes after "PostgreSQL": a clause without a full stop and without names."""
    said = str(error)
    return next((reason for words, reason in REASONS if re.search(words, said)), "does not answer")
