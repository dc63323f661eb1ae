"""The part of the control API that changes what the vendors say to shoppers: the policies, other words, attacks."""

import json
from decimal import Decimal

import msgspec

from bff.sandbox.control.faults import BadCommand
from bff.sandbox.json import JsonObject
from bff.sandbox.world import World


def change_policies(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"version"?, "html"?, "language"?}`; the version may be a text or a number, as at the vendor. With a language it
    is only the sentence there that changes."""
    version, html = body.get("version", world.policies.version), body.get("html", world.policies.html)
    if isinstance(version, bool) or not isinstance(version, str | int | Decimal):
        raise BadCommand("version must be a text or a number")
    if not isinstance(html, str):
        raise BadCommand("html must be a text")
    world.policies.version = version
    if language := str(body.get("language", "")):
        world.policies.html_in[language] = html
    else:
        world.policies.html = html
    return 200, {"version": version, "html": html}


def change_texts(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"hostile"?, "controls"?}`: makes every text for shoppers an attack that must be escaped, or puts control
    characters into it and into coupon codes."""
    if not body or not set(body) <= {"hostile", "controls"} or not all(isinstance(on, bool) for on in body.values()):
        raise BadCommand("hostile and controls must be true or false")
    world.hostile, world.controls = bool(body.get("hostile", False)), bool(body.get("controls", False))
    return 200, {"hostile": world.hostile, "controls": world.controls}


def tell_language(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"told"}`: whether a reply says in Content-Language which language it is in."""
    world.tells_language = body.get("told") is True
    return 200, {"told": world.tells_language}


def tell_tiers(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"told": ["Gold"]}`: the ladder has these of its tiers from now on; members stay in theirs."""
    told = body.get("told")
    if not isinstance(told, list) or not all(isinstance(name, str) for name in told):
        raise BadCommand("told must be a list of names")
    world.told_tiers = tuple(map(str, told))
    return 200, {"told": told}


def change_words(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"<name>": "<JSON text>"}`: every text that comes under this name in a reply is that one from now on. It is told
    as JSON would write it, quotes and all, so that half of a surrogate pair can be told too; `{}` undoes it."""
    if not all(_is_json_text(text) for text in body.values()):
        raise BadCommand("give a text as JSON writes it, in quotes and in ASCII, by the name of a field")
    world.words = {name: msgspec.Raw(str(text).encode()) for name, text in body.items()}
    return 200, {"names": list(body)}


def _is_json_text(text: object) -> bool:
    try:
        return isinstance(text, str) and text.isascii() and isinstance(json.loads(text), str)
    except ValueError:
        return False
