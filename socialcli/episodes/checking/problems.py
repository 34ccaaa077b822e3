"""A problem with a record, and its place."""

from __future__ import annotations

import json
from dataclasses import dataclass

FieldPath = tuple[str | int, ...]
"""The keys and indices that lead to a field, such as `("boxes", 3, "x0")`."""

Finding = tuple[FieldPath, str]
"""A problem whose row is not known yet: the field and the message."""

WHOLE_RECORD = "record"
"""The `field` of a problem that no single field has."""

_SHOWN_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one record of an episodes file.

    `row` counts from 1 (the line number in JSONL); `field` is a path such as `questions[1].span`; `message`
    says what is wrong and, after a semicolon, what to do. `question` is the index of the only question that
    affected, None if it is the whole episode.
    """

    row: int
    field: str
    message: str
    question: int | None = None

    def located(self, file: str) -> str:
        """The problem as a line of text: `file:row:field: what; what to do`."""
        return f"{file}:{self.row}:{self.field}: {self.message}"


def field_path(parts: FieldPath) -> str:
    """The path of a field as text: `("boxes", 3, "x0")` is `boxes[3].x0`."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if part.isidentifier() else json.dumps(part)
            path += f".{name}" if path else name
    return path or WHOLE_RECORD


def shown(value: object) -> str:
    """A JSON value on one line, truncated if long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}..."
