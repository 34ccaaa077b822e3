"""(torch) What the model's forward takes for each token besides ids and mask: positions and token types."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from socialcli.verbs.plugin.new.facts import Positions, Todo, TokenTypes
from socialcli.verbs.plugin.new.reading.observation import Observation

TYPES = "mm_token_type_ids"
_OWN = ("input_ids", TYPES, "attention_mask")  # arguments of get_rope_index that every prompt has


def find_positions(model: Any, outputs: Mapping[str, Any], seen: Observation, token_id: int) -> Positions | Todo | None:
    """How the model computes the positions of a prompt; None where they are 0, 1, 2 ...

    `outputs` are the processor's for the clip that is `seen`; the call is tried on them. A Todo where it fails.
    """
    rule = getattr(model.model, "get_rope_index", None)
    if rule is None:
        return None
    parameters = inspect.signature(rule).parameters
    inputs = tuple(name for name in parameters if name in outputs and name not in _OWN)
    types = token_types(TYPES, seen, token_id) if TYPES in parameters and TYPES in seen.per_token else None
    ids = torch.from_numpy(seen.ids).unsqueeze(0)
    arguments = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **{name: outputs[name] for name in inputs}}
    if types is not None:
        arguments[TYPES] = (ids == token_id).int() * types.value
    try:
        positions = rule(**arguments)[0]
        shape = tuple(positions.shape)
    except Exception as error:  # whatever the model's own code raises
        return Todo("positions", f"compute the position ids of a prompt: get_rope_index fails with {error}")
    if len(shape) != 3 or shape[1:] != (1, seen.ids.size):
        return Todo("positions", f"compute the position ids of a prompt: get_rope_index returns the shape {shape}")
    return Positions(shape[0], types, inputs)


def find_token_inputs(model: Any, seen: Observation, token_id: int) -> tuple[tuple[TokenTypes, ...], tuple[Todo, ...]]:
    """The per-token outputs of the processor that the model's forward takes; a Todo for each without a simple rule."""
    accepted = {name for part in (model, model.model) for name in inspect.signature(part.forward).parameters}
    found, todos = [], []
    for name in sorted(accepted & seen.per_token.keys()):
        if (types := token_types(name, seen, token_id)) is not None:
            found.append(types)
        else:
            shape = (1, *seen.per_token[name].shape)
            todos.append(Todo("token_inputs", f"compute {name} {shape} for a whole prompt, as the processor does"))
    return tuple(found), tuple(todos)


def token_types(name: str, seen: Observation, token_id: int) -> TokenTypes | None:
    """An output that is one value at visual tokens and 0 elsewhere; None where it is not."""
    values = seen.per_token[name]
    visual = seen.visual(token_id)
    if values.ndim != 1 or not visual.size:
        return None
    value = int(values[visual[0]])
    expected = np.zeros_like(values)
    expected[visual] = value
    return TokenTypes(name, value) if value and bool((values == expected).all()) else None
