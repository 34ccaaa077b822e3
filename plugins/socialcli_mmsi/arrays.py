"""Read a `.npy` file of objects without executing its content.

Such a file is a pickle, which may call any function by name, and numpy's own array functions trust its sizes. Here only
stand-ins for them are called, which check every size, and they are called by Python's pure-Python unpickler, which no
file can make access memory out of bounds.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(r"\{'descr': '([^']{1,16})', 'fortran_order': False, 'shape': \(([\d, ]{0,40})\),? *\}\s*")
_NUMBERS = re.compile(r"[fiu][1248]|b1")
# what unpickling a damaged file raises: its operations pop, look up, convert and call arbitrary values
_DAMAGE = (
    *(pickle.UnpicklingError, ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError),
    *(MemoryError, RecursionError, TypeError, ValueError, struct.error),
)


def read_objects(content: bytes) -> list[Any]:
    """The items of the outermost dimension of an array in a `.npy` file, arrays of objects inside it as lists.

    Raises ValueError if the file is damaged or holds anything but arrays, numbers, text, lists and dicts.
    """
    kind, shape, start = _header(content)
    if 0 in shape:
        return [[] for _ in range(shape[0])]
    if kind not in ("O", "|O"):
        raise ValueError("it holds numbers instead of people")
    try:
        found = _Unpickler(io.BytesIO(content[start:]), encoding="latin1").load()
    except _DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(found, _Array) or found.shape != shape or not isinstance(found.values, list):
        raise ValueError("its header and its content differ")
    return _rows(found.values, shape)


def _header(content: bytes) -> tuple[str, tuple[int, ...], int]:
    """The type of the items, the shape, and the offset of the content."""
    size = 4 if content[6:7] in (b"\x02", b"\x03") else 2
    start = 8 + size + int.from_bytes(content[8 : 8 + size], "little")
    header = _HEADER.fullmatch(content[8 + size : start].decode("latin1"))
    if not content.startswith(_MAGIC) or header is None:
        raise ValueError("it does not begin like one")
    shape = tuple(int(number) for number in header[2].split(",") if number.strip())
    if not shape or max(shape) > 10_000_000:
        raise ValueError(f"its shape is {shape}")
    return header[1], shape, start


def _rows(values: list[Any], shape: Sequence[int]) -> list[Any]:
    """The items of the outermost dimension: the values themselves, or lists of them if there are more dimensions."""
    if len(shape) == 1:
        return values
    width = math.prod(shape[1:])
    return [values[start : start + width] for start in range(0, len(values), width)]


class _Array:
    """Stands for an array. `values`: a list of objects or a numpy array of numbers, as many as `shape` says."""

    def __init__(self, *_: object) -> None:
        self.shape: tuple[int, ...] = ()
        self.values: Any = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("the state of an array is invalid")
        self.fill(state[1], state[2], state[4])

    def fill(self, shape: Any, dtype: Any, raw: Any) -> None:
        """Set the values. Raises ValueError or TypeError if they do not match the shape and type."""
        if not isinstance(shape, tuple) or not all(isinstance(size, int) and size >= 0 for size in shape):
            raise ValueError("the shape of an array is invalid")
        if not isinstance(dtype, _Type):
            raise ValueError("the type of an array is invalid")
        self.shape = shape
        self.values = raw if dtype.name in ("O", "O8") and isinstance(raw, list) else dtype.numbers(raw)
        if len(self.values) != math.prod(shape):
            raise ValueError("an array does not have as many values as its shape says")


class _Type:
    """Stands for the type of an array's items."""

    def __init__(self, name: str, *_: object) -> None:
        self.name = name
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = ">" if state[1] == ">" else "<"

    def numbers(self, raw: Any) -> Any:
        """The numbers in bytes. Raises ValueError for another type or an incomplete number."""
        if (
            not isinstance(raw, bytes | bytearray)
            or not isinstance(self.name, str)
            or not _NUMBERS.fullmatch(self.name)
        ):
            raise ValueError(f"an array has type {self.name}")
        return np.frombuffer(bytes(raw), dtype=self.order + self.name)


class _Scalar:
    """Stands for the function that creates a number."""

    def __new__(cls, dtype: _Type, raw: bytes) -> Any:
        (number,) = dtype.numbers(raw)
        return number.item()


class _FromBuffer:
    """Stands for the function that creates an array of numbers from bytes."""

    def __new__(cls, raw: bytes, dtype: _Type, shape: tuple[int, ...], _order: str) -> Any:
        array = _Array()
        array.fill(shape, dtype, raw)
        return array


class _Encoded:
    """Stands for the function that old pickles use to encode bytes as text."""

    def __new__(cls, text: str, _encoding: str) -> Any:
        return text.encode("latin1")


_STANDINS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Encoded,
    **{
        (f"{package}.{module}", name): standin
        for package in ("numpy.core", "numpy._core")
        for module, name, standin in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _Scalar),
            ("numeric", "_frombuffer", _FromBuffer),
        )
    },
}


class _Unpickler(pickle._Unpickler):
    """The pure-Python unpickler, limited to the stand-ins."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a function or class. Raises UnpicklingError for any other."""
        if (module, name) not in _STANDINS:
            raise pickle.UnpicklingError(f"it calls {module}.{name}")
        return _STANDINS[module, name]


def numbers_of(value: object) -> Any:
    """The numbers of a list, or of an array from the file, as float64. Raises ValueError or TypeError."""
    return np.asarray(value.values if isinstance(value, _Array) else value, dtype=np.float64).reshape(-1)


def items_of(value: object) -> Sequence[Any] | None:
    """The items of a list or of an array of objects; None for anything else."""
    if isinstance(value, _Array):
        value = value.values
    return value if isinstance(value, list | tuple) else None
