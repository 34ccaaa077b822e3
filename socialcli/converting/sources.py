"""Read text, JSON and tables for converters. Every error names the file, line and field."""

from __future__ import annotations

import codecs
import json
import logging
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from socialcli.converting.report import SourceError
from socialcli.errors import InvalidInputError
from socialcli.files import read_bytes

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HUGE = 1e12

_log = logging.getLogger(__name__)

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark and with `\\n` line endings.

    Reads UTF-8, and UTF-16 with a byte order mark; anything else is read as Windows-1252, with a warning. Raises
    NotFoundError and InvalidInputError.
    """
    content = read_bytes(path)
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InvalidInputError(
                f"{path}: begins like {encoding} but is not valid {encoding}; save it as UTF-8"
            ) from error
        _log.warning("%s: is not UTF-8 and is read as Windows-1252; save it as UTF-8 if letters look wrong", path)
        text = "".join(bytes([byte]).decode("cp1252", "replace") if byte > 127 else chr(byte) for byte in content)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: Path) -> Any:
    """The value of a JSON file. Raises NotFoundError, and SourceError with the line if it is not valid JSON."""
    text = read_text(path)
    try:
        value = json.loads(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise SourceError(path, error.lineno, None, f"is not JSON ({error.msg}); download the file again") from error
    except UnicodeEncodeError as error:
        raise SourceError(path, None, None, "has half of a surrogate pair in a text; correct it") from error
    except (RecursionError, ValueError) as error:  # nested too deeply; a number with thousands of digits
        raise SourceError(path, None, None, f"cannot be read ({error}); download the file again") from error
    return value


def is_number(value: object) -> bool:
    """Whether a JSON value is a number of plausible size for seconds, pixels or a count."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_HUGE < value < _HUGE


def parse_finite(text: str) -> float:
    """Parse a finite number. Raises ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not finite")
    return number


def required_field(record: Mapping[str, Any], field: str, kind: type | tuple[type, ...], path: Path, where: str) -> Any:
    """A field of a record. Raises SourceError if it is missing or of another type; `where` names the record."""
    value = record.get(field)
    if not isinstance(value, kind) or isinstance(value, bool):
        names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        raise SourceError(path, None, f"{where}.{field}", f"is {value!r}, and must be of type {names}; correct it")
    return value
