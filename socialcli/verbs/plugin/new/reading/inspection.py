"""(torch) Everything that a checkpoint's small files and its processor say about an adapter for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging

from socialcli.models.checkpoints.hub import Source
from socialcli.models.loading import quiet_libraries
from socialcli.verbs.plugin.new.facts import CellRule, Facts, GridRule, Positions, Todo, UnknownGrid
from socialcli.verbs.plugin.new.reading.attributes import attributes_of
from socialcli.verbs.plugin.new.reading.calls import find_call, noise
from socialcli.verbs.plugin.new.reading.checkpoint import Parts, open_checkpoint
from socialcli.verbs.plugin.new.reading.conversation import read_conversation
from socialcli.verbs.plugin.new.reading.decoder import find_decoder
from socialcli.verbs.plugin.new.reading.grid import Evidence, find_grid
from socialcli.verbs.plugin.new.reading.observation import SIZES, observe, observe_still, visual_token
from socialcli.verbs.plugin.new.reading.positions import find_positions, find_token_inputs


def read_facts(checkpoint: str, revision: str | None, allow_links: bool) -> Facts:
    """What can be read off a checkpoint, a folder or a hub id; what cannot is among the `todos`.

    Raises CheckpointError for a checkpoint that is missing, has no class in transformers, or whose processor and chat
    template take no frames.
    """
    quiet_libraries()
    with _without_warnings():
        source = Source(checkpoint, revision)
        return _facts(open_checkpoint(source, allow_links), source)


def _facts(parts: Parts, source: Source) -> Facts:
    what = f"checkpoint {source.checkpoint!r}"
    conversation = read_conversation(parts.processor, what)
    caller = find_call(conversation, what)
    attributes = attributes_of(parts.processor, conversation.kind, parts.config)
    observations = observe(caller)
    token_id, expression = visual_token(observations, attributes, parts.processor.tokenizer)
    grid = find_grid(Evidence(caller, attributes, observations, observe_still(caller), token_id))
    decoder, todos = find_decoder(parts.model, parts.config.get_text_config())
    seen = observations[0]
    outputs = caller.call(noise(seen.frames, *SIZES[0]))
    positions = find_positions(parts.model, outputs, seen, token_id)
    token_inputs, unexplained = ((), ()) if positions else find_token_inputs(parts.model, seen, token_id)
    if isinstance(positions, Todo):
        todos = (*todos, positions)
    return Facts(
        checkpoint=source.checkpoint,
        is_published=not source.is_folder,
        classes=parts.classes,
        frame_input=caller.facts,
        visual_token_id=expression,
        grid=grid.grid,
        cells=grid.cells,
        decoder=decoder,
        positions=positions if isinstance(positions, Positions) else None,
        token_inputs=token_inputs,
        todos=(*_grid_todos(grid.grid, grid.cells), *todos, *unexplained),
    )


def _grid_todos(grid: GridRule, cells: CellRule) -> Iterator[Todo]:
    if isinstance(grid, UnknownGrid):
        yield Todo("grid_shape", f"return the frames of each step and the cells of a step; seen: {grid.observed}")
    if cells.extra is not None:
        yield Todo(
            "cell_tokens",
            f"return which of the clip's visual tokens shows each cell, -1: none; {cells.extra}; where the cells come "
            "first, np.arange(np.prod(shape)).reshape(shape)",
        )


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Hide what processors say about calls that are made only to see what they need."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
