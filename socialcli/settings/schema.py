"""The JSON Schema of settings in a manifest, made from what their fields declare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from socialcli.settings.fields import Setting


def settings_schema(settings: Iterable[Setting]) -> dict[str, Any]:
    """The schema of an object with these settings, all required: the field `settings` of a manifest."""
    found = {one.key: value_schema(one) for one in settings}
    return {
        "type": "object",
        "description": "The settings, wherever they came from, by the names of the options.",
        "additionalProperties": False,
        "required": list(found),
        "properties": found,
    }


def value_schema(setting: Setting) -> dict[str, Any]:
    """The schema of one setting's value."""
    if setting.choices is not None:
        return _described({"enum": list(setting.choices)}, setting)
    if setting.repeats:
        fewest = {"minItems": 1} if setting.required else {}
        return _described({"type": "array", "items": {"type": "string"}, **fewest}, setting)
    schema = {"type": _type(setting), **_limits(setting)}
    if setting.word is not None:
        schema = {"anyOf": [schema, {"const": setting.word}]}
    elif setting.optional:
        schema["type"] = [schema["type"], "null"]
    return _described(schema, setting)


def _type(setting: Setting) -> str:
    if setting.number is not None:
        return "integer" if setting.number is int else "number"
    return "boolean" if setting.type is bool else "string"


def _limits(setting: Setting) -> dict[str, Any]:
    about = setting.about
    limits = {
        "minimum": about.least,
        "exclusiveMinimum": about.above,
        "maximum": about.most,
        "pattern": about.pattern,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def _described(schema: dict[str, Any], setting: Setting) -> dict[str, Any]:
    return {**schema, "description": setting.about.help}
