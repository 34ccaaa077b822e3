"""The source of the adapter's module: docstring, imports, and the class with its members."""

from __future__ import annotations

import re
from collections.abc import Sequence

from socialcli.verbs.plugin.new.facts import Facts, SquareGrid, ThwGrid
from socialcli.verbs.plugin.new.writing.members import Lines, members

WIDTH = 120  # characters in a line

# What the members may use, in the order of a sorted import block: statement, and the word that it brings.
_STANDARD = (
    ("from collections.abc import {}", ("Mapping", "Sequence")),
    ("from math import {}", ("isqrt",)),
    ("from typing import {}", ("Any",)),
)
_SOCIALCLI = (
    ("from socialcli.alignment.grid import {}", ("Cells", "affine_cells")),
    ("from socialcli.models.contract import {}", ("EncodedClip", "EncodedPrompt", "LoadOptions")),
    ("from socialcli.models.frame_times import {}", ("times_from_first",)),
    ("from socialcli.models.huggingface import {}", ("HuggingFaceAdapter",)),
    ("from socialcli.video.frames import {}", ("FrameSet",)),
)


def adapter_source(facts: Facts) -> str:
    """The module `adapter.py` of the plug-in."""
    name = class_name(facts)
    body = [
        f"class {name}(HuggingFaceAdapter):",
        f'    """{stem(facts)}, as its checkpoints for transformers prepare frames."""',
        "",
        *(f"    {line}" for line in _class_attributes(facts)),
    ]
    for member in members(facts):
        body += ["", *(f"    {line}" for line in member)]
    body += [
        "",
        "",
        f"def load(options: LoadOptions) -> {name}:",
        '    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""',
        f"    return {name}.load(SPEC, options)",
    ]
    lines = [f'"""(torch) {stem(facts)}: {summary(facts)}."""', "", *_imports(facts, "\n".join(body)), "", "", *body]
    return "\n".join(lines) + "\n"


def stem(facts: Facts) -> str:
    """The family's name as its classes have it."""
    return re.sub(r"For[A-Z]\w*$", "", facts.classes.model)


def class_name(facts: Facts) -> str:
    """The name of the adapter's class."""
    return f"{stem(facts)}Adapter"


def summary(facts: Facts) -> str:
    """How frames become cells, in a few words."""
    if isinstance(facts.grid, ThwGrid):
        shape = "frames at their own shape"
        return shape if facts.grid.frames_per_step is None else f"{shape}, several to a step in time"
    if isinstance(facts.grid, SquareGrid):
        return f"each frame {facts.grid.fit.value} of cells"
    return "video frames"


def _class_attributes(facts: Facts) -> Lines:
    lines = [f"model_class = {facts.classes.model}", f"processor_class = {facts.classes.processor}"]
    if facts.classes.further:
        lines += [f"further_model_classes = ({', '.join(name for _, name in facts.classes.further)},)"]
    if facts.frame_input.as_images:
        lines += ["frames_as_images = True"]
    return lines


def _imports(facts: Facts, body: str) -> Lines:
    """The imports that the body uses, in blocks as isort orders them."""
    own = sorted(
        {facts.classes.model, facts.classes.processor, *(name for _, name in facts.classes.further)}, key=str.lower
    )
    third_party = [
        *_used((("import numpy as np", "np"), ("import numpy.typing as npt", "npt"), ("import torch", "torch")), body),
        *_chosen(_SOCIALCLI, body),
        *_used((("from torch import Tensor", "Tensor"),), body),
        *_wrapped("from transformers import {}", own),
        *_used((("from transformers.video_utils import VideoMetadata", "VideoMetadata"),), body),
    ]
    blocks = [["from __future__ import annotations"], _chosen(_STANDARD, body), _sorted(third_party)]
    blocks += [["from . import SPEC"]]
    return [line for block in blocks for line in ("", *block)][1:]


def _sorted(lines: Lines) -> Lines:
    """`import ...` before `from ...`, as isort has it; the lines of a wrapped import stay together."""
    plain = [line for line in lines if line.startswith("import ")]
    return [*plain, *(line for line in lines if not line.startswith("import "))]


def _used(statements: Sequence[tuple[str, str]], body: str) -> Lines:
    return [statement for statement, word in statements if _occurs(word, body)]


def _chosen(statements: Sequence[tuple[str, tuple[str, ...]]], body: str) -> Lines:
    lines = []
    for statement, words in statements:
        if used := [word for word in words if _occurs(word, body)]:
            lines += [statement.format(", ".join(used))]
    return lines


def _wrapped(statement: str, names: Sequence[str]) -> Lines:
    line = statement.format(", ".join(names))
    if len(line) <= WIDTH:
        return [line]
    return [statement.format("("), *(f"    {name}," for name in names), ")"]


def _occurs(word: str, body: str) -> bool:
    return re.search(rf"\b{word}\b", body) is not None
