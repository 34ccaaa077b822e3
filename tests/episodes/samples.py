"""Episodes and files that the tests of this folder share."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Record = dict[str, Any]


def record(name: str = "e1") -> Record:
    """A correct episode with a question of every built-in task and one of a plug-in's."""
    return {
        "schema_version": "1.0",
        "episode_id": name,
        "dataset": "made-up",
        "split": "test",
        "video": {"path": "clip.mp4", "start": 1.0, "end": 9.5, "width": 640, "height": 360},
        "speakers": [{"id": "s1", "name": "Zoë"}, {"id": "s2"}, {"id": "s3", "name": None}],
        "utterances": [
            {"id": "u1", "speaker": "s1", "start": 1.0, "end": 2.5, "text": "Zoë 🎲, did you take it?"},
            {"id": "u2", "speaker": None, "start": 2.5, "end": 2.5, "text": ""},
            {"id": "u3", "speaker": "s2", "start": 2.5, "end": 9.5, "text": "No, she did."},
        ],
        "boxes": [
            {"speaker": "s1", "time": 1.0, "x0": 0, "y0": 0, "x1": 100, "y1": 360},
            {"speaker": "s1", "time": 1.5, "x0": 3.25, "y0": 0, "x1": 100.5, "y1": 350},
            {"speaker": "s2", "time": 9.5, "x0": 540, "y0": 10, "x1": 640, "y1": 355.5},
        ],
        "questions": [
            {"id": f"{name}/target", "task": "target", "utterance": "u1", "answer": "s2"},
            {"id": f"{name}/coref", "task": "coref", "utterance": "u3", "span": [4, 7], "answer": "s1"},
            {"id": f"{name}/mentioned", "task": "mentioned", "utterance": "u1", "span": [0, 3], "answer": "s1"},
            {
                "id": f"{name}/videoqa",
                "task": "videoqa",
                "text": "Where are they?",
                "candidates": ["at home", "in a café"],
                "answer": "in a café",
            },
            {"id": f"{name}/other", "task": "somebody-elses-task", "answer": None},
        ],
    }


def changed(change: Callable[[Record], object], name: str = "e1") -> Record:
    """`record` after `change` has worked on it."""
    result = record(name)
    change(result)
    return result


def write_lines(path: Path, lines: Iterable[object]) -> Path:
    """Write each item on a line: text as it stands, anything else as JSON."""
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 70_000),
    st.floats(),
    st.sampled_from(["", "s1", "u1", "1.0", "e1"]),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(["a", "b", 0, 1, 2.0]), max_size=3),
    st.just([f"answer {index}" for index in range(27)]),
    st.just({"id": "s1"}),
)


@st.composite
def mutated_records(draw: st.DrawFn) -> Record:
    """`record` with up to four things in it replaced, removed or added."""
    result = record()
    for _ in range(draw(st.integers(0, 4))):
        holder = draw(st.sampled_from(_containers(result)))
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "add" or not keys:
            _add(holder, draw(st.sampled_from(["name", "fps", "extra", "span"])), copy.deepcopy(draw(JSON_VALUES)))
            continue
        key = draw(st.sampled_from(keys))
        if action == "replace":
            holder[key] = copy.deepcopy(draw(JSON_VALUES))
        else:
            del holder[key]
    return result


def _containers(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [container for item in items for container in _containers(item)]


def _add(holder: Any, name: str, value: object) -> None:
    if isinstance(holder, dict):
        holder[name] = value
    else:
        holder.append(value)
