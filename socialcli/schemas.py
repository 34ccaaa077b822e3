"""The JSON Schemas of the files that socialcli reads and writes."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from socialcli.errors import UnknownNameError

SCHEMA_NAMES = ("episode", "prediction", "run", "train", "inspection", "agreement")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) `name`, one of `SCHEMA_NAMES`. The result is shared: do not change it.

    Raises UnknownNameError for any other name.
    """
    if name not in SCHEMA_NAMES:
        raise UnknownNameError("schema", name, SCHEMA_NAMES)
    text = files("socialcli_schemas").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
