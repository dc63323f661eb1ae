"""Settings that are TOML, or the path of a TOML file."""

import tomllib
from pathlib import Path
from typing import Any

from bff.errors import SettingsError


def is_toml(toml_or_path: str) -> bool:
    """Whether it is the text itself; an empty one says nothing."""
    return not toml_or_path or any(sign in toml_or_path for sign in "=[\n")


def text_of(setting: str, toml_or_path: str) -> str:
    """The TOML itself, out of its file where that is given; raises SettingsError."""
    if is_toml(toml_or_path):
        return toml_or_path
    try:
        return Path(toml_or_path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SettingsError(setting, f"the file cannot be read ({type(error).__name__}).") from None


def tables_in(setting: str, text: str) -> dict[str, Any]:
    """Raises SettingsError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The library's message names line and column and quotes nothing but single characters.
        raise SettingsError(setting, f"is not TOML: {error}.") from None
