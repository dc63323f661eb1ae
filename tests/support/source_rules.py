"""What no line of the service may do, found in its syntax trees: each rule with what breaks it and what does not."""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

Finder = Callable[[ast.AST], bool]
# The last word of a name that holds what must not be compared bit by bit, and of what makes one.
MARKS = frozenset({"csrf", "digest", "hexdigest", "hmac", "mac", "password", "secret", "signature", "token"})
# What would be secret or personal in a log line.
UNSPEAKABLE = frozenset(
    {"authorization", "body", "code_verifier", "content", "cookie", "cookies", "customer_id", "email", "headers",
     "html", "id_token", "jwt", "name", "password", "query", "query_params", "secret", "text", "token", "url"}
)  # fmt: skip
LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})
CLIENTS = frozenset(
    {"aiohappyeyeballs", "aiohttp", "ftplib", "http.client", "httpx", "httpx2", "requests", "smtplib", "urllib.request",
     "urllib3"}
)  # fmt: skip
OPENERS = frozenset({"create_connection", "open_connection"})
STATEMENTS = frozenset({"execute", "executemany", "executescript", "copy"})


class Rule(NamedTuple):
    finds: Finder
    bad: tuple[str, ...]
    good: tuple[str, ...]


def last_word(node: ast.AST) -> str:
    """`digest` of `a.digest`, of `digest` and of `a.digest()`."""
    match node:
        case ast.Call(func=called):
            return last_word(called)
        case ast.Attribute(attr=word) | ast.Name(id=word):
            return word.lower()
    return ""


def compares_a_mark(node: ast.AST) -> bool:
    match node:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
            words = {last_word(left).rpartition("_")[2], last_word(right).rpartition("_")[2]}
            return bool(words & MARKS) and not (is_written_there(left) or is_written_there(right))
    return False


def is_written_there(node: ast.AST) -> bool:
    """A literal, or a constant of the module."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def logs_the_unspeakable(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name("log" | "logger"), attr=level)) if level in LEVELS:
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            spoken = {last_word(part) for value in given for part in told_by(value)}
            return bool(spoken & UNSPEAKABLE) or any(isinstance(value, ast.JoinedStr) for value in node.args)
    return False


def told_by(node: ast.AST) -> Iterator[ast.AST]:
    """Every part of a value, but what goes into a pseudonym: a keyed hash tells nothing of it."""
    if last_word(node) == "pseudonym":
        return
    yield node
    for part in ast.iter_child_nodes(node):
        yield from told_by(part)


def speaks_to_the_network(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(name.name in CLIENTS for name in names)
        case ast.ImportFrom(module=module, names=names):
            return module in CLIENTS or any(f"{module}.{name.name}" in CLIENTS for name in names)
        case ast.Attribute(attr=attr):
            return attr in OPENERS
    return False


def puts_values_into_sql(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=attr), args=[ast.JoinedStr() | ast.BinOp(), *_]) if attr in STATEMENTS:
            return True
        case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Call(func=ast.Attribute(attr="format")), *_]):
            return attr in STATEMENTS
    return False


def trusts_markup(node: ast.AST) -> bool:
    """Markup of anything but words that are written there."""
    match node:
        case ast.Call(func=called, args=[given, *_]) if last_word(called) == "markup":
            return not isinstance(given, ast.Constant)
    return False


RULES = {
    "marks are compared in constant time": Rule(
        compares_a_mark,
        ("hashlib.sha256(a).digest() == b", "given != expected_mac", "if form.csrf == token: pass"),
        ("hmac.compare_digest(a, b)", "token == ''", "state == 'paid'", "algorithm.name == other"),
    ),
    "nothing secret or personal is logged": Rule(
        logs_the_unspeakable,
        (
            "log.info('x', what=request.headers)",
            "log.error('x', reason=reply.text)",
            "log.info(f'{order}')",
            "log.warning('x', who=session.data.customer_id)",
            "log.info('x', what=dict(token=given.token))",
        ),
        (
            "log.info('x', status=reply.status, who=sessions.pseudonym(customer_id))",
            "log.error('x', failure=type(error).__name__)",
        ),
    ),
    "only the transport speaks to the network": Rule(
        speaks_to_the_network,
        ("import httpx", "from urllib.request import urlopen", "from http import client", "asyncio.open_connection()"),
        ("from urllib.parse import urlsplit", "import http", "from http import HTTPStatus"),
    ),
    "values do not become part of SQL": Rule(
        puts_values_into_sql,
        ("c.execute(f'SELECT {a}')", "c.execute('SELECT ' + a)", "c.execute('SELECT {}'.format(a))"),
        ("c.execute(FIND, (a,))", "c.execute('SELECT %s', (a,))"),
    ),
    "only the sanitiser's words are trusted as HTML": Rule(
        trusts_markup,
        ("Markup(text)", "markupsafe.Markup(f'<b>{a}</b>')"),
        ("Markup('<b>{}</b>').format(a)", "escape(text)"),
    ),
}


def broken_by(source: str) -> Iterator[tuple[str, int]]:
    """The names of the rules that this source breaks, and the lines where."""
    for node in ast.walk(ast.parse(source)):
        for name, rule in RULES.items():
            if rule.finds(node):
                yield name, getattr(node, "lineno", 0)
