"""(torch) Which questions go through the model together, and how many at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

import torch

from socialcli.errors import OutOfMemoryError, QuestionError
from socialcli.inference.asked import AskedQuestion
from socialcli.inference.memory import free_bytes, is_out_of_memory, prompt_bytes
from socialcli.inference.session import ClipSession
from socialcli.models.contract import Adapter

_log = logging.getLogger(__name__)

MOST = 16  # questions: more at a time make nothing faster, for a prompt is long enough to keep a device busy
SHARE_OF_FREE = 0.5  # of the memory that is free, the part that a batch may plan with

R = TypeVar("R")

Waiting = tuple[ClipSession, AskedQuestion]


class BatchLimit:
    """How many questions may go through the model together: so many as were asked for, or as fit."""

    def __init__(self, wanted: int | None = None) -> None:
        """`wanted` None: find what fits."""
        self._fits = wanted is None
        self.most = MOST if wanted is None else wanted

    def to_collect(self, adapter: Adapter) -> int:
        """The number of questions worth waiting for, clip after clip, before any goes through the model.

        Where what fits is taken, a CPU waits for no second clip: it is busy with one question already.
        """
        return 1 if self._fits and adapter.device.type == "cpu" else self.most

    def allowed(self, adapter: Adapter, length: int) -> int:
        """The number for prompts of up to `length` tokens.

        Memory is asked for on a CPU alone, where a system short of it grows slow, or kills, before it says no. A GPU
        says no, and `shrink` follows.
        """
        if not self._fits or adapter.device.type != "cpu":
            return self.most
        fitting = int(free_bytes() * SHARE_OF_FREE) // prompt_bytes(adapter, length)
        return max(1, min(self.most, fitting))

    def shrink(self, failed: int) -> None:
        """From now on, fewer than the `failed` questions together that did not fit."""
        self.most = max(1, failed // 2)
        _log.warning("%d questions at a time do not fit into memory; going on with %d", failed, self.most)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # what the failed batch left in pieces


def batches(waiting: Sequence[Waiting], adapter: Adapter, limit: BatchLimit) -> Iterator[Sequence[Waiting]]:
    """Put questions on a few clips into batches: first those of one clip with the same transcript, then what else fits.

    Prompts of a batch begin with equally many visual tokens. Every question is in one batch.
    """
    alone: list[Waiting] = []
    for group in _grouped(waiting, lambda one: (id(one[0]), _transcript(one[1]))):
        if len(group) > 1:
            yield from _cut(group, adapter, limit)
        else:
            alone += group
    for group in _grouped(alone, lambda one: one[1].encoded.prefix):
        yield from _cut(group, adapter, limit)


def in_parts(
    batch: Sequence[Waiting], run: Callable[[Sequence[Waiting]], R], limit: BatchLimit
) -> Iterator[tuple[Sequence[Waiting], R | QuestionError]]:
    """`run` a batch; where it fails as a whole, run it in parts, down to each question alone.

    Yields every part with what `run` made of it, or with the error of the one question in it. What is a bug is raised.
    """
    try:
        result: R | QuestionError = run(batch)
    except (QuestionError, RuntimeError, MemoryError) as error:
        result = _as_question_error(error, max(asked.encoded.length for _, asked in batch))
    # Behind the handler: until its end, the error keeps alive what the failed batch had in memory.
    if len(batch) == 1 or not isinstance(result, QuestionError):
        yield batch, result
        return
    size = 1
    if isinstance(result, OutOfMemoryError):
        limit.shrink(len(batch))
        size = limit.most
    for start in range(0, len(batch), size):
        yield from in_parts(batch[start : start + size], run, limit)


def _as_question_error(error: Exception, length: int) -> QuestionError:
    if isinstance(error, QuestionError):
        return error
    if not is_out_of_memory(error):
        raise error
    return OutOfMemoryError(
        f"out of memory: a prompt of {length} tokens does not fit, even alone; use fewer --frames, or --dtype bfloat16"
    )


def _grouped(waiting: Iterable[Waiting], key: Callable[[Waiting], Hashable]) -> Iterable[Sequence[Waiting]]:
    groups: dict[Hashable, list[Waiting]] = {}
    for one in waiting:
        groups.setdefault(key(one), []).append(one)
    return groups.values()


def _cut(group: Sequence[Waiting], adapter: Adapter, limit: BatchLimit) -> Iterator[Sequence[Waiting]]:
    longest = max(asked.encoded.length for _, asked in group)
    start = 0
    while start < len(group):
        size = limit.allowed(adapter, longest)
        yield group[start : start + size]
        start += size


def transcript_end(asked: AskedQuestion) -> int:
    """The number of tokens of a prompt up to the end of its last utterance."""
    return max((int(span[-1]) + 1 for span in asked.encoded.token_spans if span.size), default=asked.encoded.prefix)


def _transcript(asked: AskedQuestion) -> bytes:
    return asked.encoded.ids[: transcript_end(asked)].tobytes()
