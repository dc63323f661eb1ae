"""What the log says of an exception: its class, what it came of, and where in our own code. Names, never a message."""

from collections.abc import Iterator
from types import CodeType

PACKAGE = "bff"


def cause(error: BaseException | None) -> dict[str, str]:
    """The fields that name an exception: its class and, where it is PostgreSQL's, its SQLSTATE."""
    state = getattr(error, "sqlstate", None)
    return {"failure": type(error).__name__} | ({"sqlstate": state} if state else {})


def origin(error: BaseException) -> dict[str, str]:
    """The same with `where` in our code it was raised, or what we had called when it was, and the class of its `cause`,
    the first exception of all, where it has one. Of a group the first exception is meant."""
    meant = error
    while isinstance(meant, BaseExceptionGroup):
        meant = meant.exceptions[0]
    first = _first_cause(meant)
    # PostgreSQL's own code may lie deeper than the exception that is seen.
    fields = cause(first) | cause(meant)
    if first is not meant:
        fields["cause"] = type(first).__name__
    place = next(iter([*_own_places(meant)][::-1]), None)
    return fields | ({"where": place} if place else {})


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _own_places(error: BaseException) -> Iterator[str]:
    """Every place of ours that the exception passed, the outermost first: module, function and line."""
    step = error.__traceback__
    while step is not None:
        module = step.tb_frame.f_globals.get("__name__", "")
        if module == PACKAGE or module.startswith(f"{PACKAGE}."):
            yield f"{module}.{_name_of(step.tb_frame.f_code)}:{step.tb_lineno}"
        step = step.tb_next


def _name_of(code: CodeType) -> str:
    return code.co_qualname.replace("<locals>.", "")
