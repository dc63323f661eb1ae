"""What of our texts a merchant may reword (COPY), and whether a wording can be used: docs/copy.md."""

import json
import re
from collections.abc import Iterator, Mapping

from babel.messages.catalog import Message

from bff.languages.catalogues import OURS, Words, read
from bff.languages.places import TAG, VALUE, fits
from bff.languages.wording import Wording, is_of_one_number, plural_forms

# What tells a shopper whether they have agreed to anything. What they agree to is in the vendor's words, not in ours.
LEGAL = frozenset({
    "Joining is paused",
    "The terms have changed",
    "The terms have changed. Please read them again.",
    "They are not the ones you saw before. Please read them again; you have not agreed to anything yet.",
    "We can't show you the terms right now, and nobody should agree to what they can't read. Nothing was sent.",
    "You cannot be enrolled right now. The terms are as you saw them; please try again later.",
    "You may be a member already, so nobody joins until we know. Nothing was sent, and nothing is lost.",
})  # fmt: skip
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def texts() -> Mapping[str, Message]:
    """Every text of ours by its English; of one that has plural forms, by that for one."""
    named = {_forms(message)[0]: message for message in read(OURS / "messages.pot") if message.id}
    return dict(sorted(named.items()))


def fault_in(wording: Wording, message: Message, tag: str) -> str | None:
    """What to do about a wording that cannot be used; None when it can."""
    text, *more = _forms(message)
    if text in LEGAL:
        return "leave it out: it tells shoppers what they have agreed to"
    if not more:
        return _fault(wording, text) if isinstance(wording, str) else "give one text, it has no plural forms"
    needed = list(plural_forms(tag))
    if not isinstance(wording, dict) or sorted(wording) != sorted(needed):
        return f"give its plural forms, a table of {' and '.join(needed)}"
    # One that is for a single number may be without it: "one point".
    faults = (_fault(words, more[-1], may_lack=int(is_of_one_number(tag, form))) for form, words in wording.items())
    return next(filter(None, faults), None)


def _fault(wording: str, text: str, may_lack: int | None = None) -> str | None:
    if not wording.strip() or CONTROL.search(wording):
        return "give words, on one line"
    if fits(wording, text, is_counted=may_lack is not None, may_lack=may_lack or 0):
        return None
    places = [*VALUE.findall(text), *TAG.findall(text)]
    if not places:
        return "give words without markup" if may_lack is None else "give words without markup and %"
    return f"give each of these once, and no other markup or %: {' '.join(places)}"


def as_toml(words: Words, sought: str) -> Iterator[str]:
    """The texts with what is sought in them, in English or in this language, as they are: a COPY to begin with."""
    yield f"[{words.tag}]"
    for text, message in texts().items():
        line = f"{_toml(text)} = {_toml(_as_it_is(words, message))}"
        if text not in LEGAL and sought.casefold() in line.casefold():
            yield line


def _as_it_is(words: Words, message: Message) -> Wording:
    text, *more = _forms(message)
    if not more:
        return words.text(text)
    return {form: words.plural(text, more[-1], number) for form, number in plural_forms(words.tag).items()}


def _toml(wording: Wording) -> str:
    """A string is written as in JSON; what is not seen in it, such as a narrow space, is escaped."""
    if isinstance(wording, str):
        written = json.dumps(wording, ensure_ascii=False)
        return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in written)
    return f"{{ {', '.join(f'{form} = {_toml(words)}' for form, words in wording.items())} }}"


def _forms(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)
