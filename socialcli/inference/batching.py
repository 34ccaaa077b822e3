"""(torch) Which questions go through the model together, and how many at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

import torch

from socialcli.errors import OutOfMemoryError, QuestionError
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.memory import free_bytes, is_out_of_memory, prompt_bytes
from socialcli.models.contract import Adapter, EncodedPrompt

_log = logging.getLogger(__name__)

MOST = 16  # questions in a batch: more are no faster, since one prompt is long enough to keep a device busy
COPIES = 4  # times as many prompts run side by side on a CPU where they differ in their plans alone: steps are small
SHARE_OF_FREE = 0.5  # of the free memory, what a batch may take

R = TypeVar("R")


class BatchLimit:
    """The number of questions in a batch: the number the user wants, or as many as fit in memory."""

    def __init__(self, wanted: int | None = None) -> None:
        """`wanted` None: as many as fit."""
        self._fits = wanted is None
        self.most = MOST if wanted is None else wanted

    def to_collect(self, adapter: Adapter) -> int:
        """The number of questions to collect, clip after clip, before the first batch runs.

        With as many as fit, a CPU collects no second clip: one question keeps it busy.
        """
        return 1 if self._fits and adapter.device.type == "cpu" else self.most

    def allowed(self, adapter: Adapter, length: int, cross_keys: int = 0, copies: int = 1) -> int:
        """The number for prompts of up to `length` tokens that see up to `cross_keys` keys of cross-attention.

        With as many as fit, a CPU takes up to `copies` times as many.
        Free memory is only looked up on a CPU, where a system short of memory swaps or kills before an allocation
        fails. On a GPU the allocation fails, and `shrink` follows.
        """
        if not self._fits or adapter.device.type != "cpu":
            return self.most
        fitting = int(free_bytes() * SHARE_OF_FREE) // prompt_bytes(adapter, length, cross_keys)
        return max(1, min(self.most * copies, fitting))

    def shrink(self, failed: int) -> None:
        """Allow half of the `failed` questions that did not fit, from now on."""
        self.most = max(1, failed // 2)
        _log.warning("%d questions at a time do not fit in memory; trying %d", failed, self.most)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # return the failed batch's fragments to the device


def batches(questions: Sequence[ClipQuestion], adapter: Adapter, limit: BatchLimit) -> Iterator[Sequence[ClipQuestion]]:
    """Cut questions on a few clips into batches: first those that share clip and transcript, then what else fits.

    The prompts of a batch begin with equally many visual tokens, or see equally many keys of cross-attention. Every
    question is in exactly one batch.
    """
    alone: list[ClipQuestion] = []
    for group in _grouped(questions, lambda one: (one.clip, _transcript(one.encoded))):
        if len(group) > 1:
            yield from _cut(group, adapter, limit)
        else:
            alone += group
    for group in _grouped(alone, lambda one: (one.encoded.prefix, one.encoded.cross_keys)):
        yield from _cut(group, adapter, limit)


def allowed(questions: Sequence[ClipQuestion], adapter: Adapter, limit: BatchLimit, copies: int = 1) -> int:
    """The number of prompts as long as the longest of the questions that may run at once, as `BatchLimit.allowed`."""
    longest = max(one.encoded.length for one in questions)
    return limit.allowed(adapter, longest, max(one.encoded.cross_keys for one in questions), copies)


def in_parts(
    batch: Sequence[ClipQuestion],
    run: Callable[[Sequence[ClipQuestion]], R],
    limit: BatchLimit,
    in_turn: Callable[[Sequence[ClipQuestion]], R] | None = None,
) -> Iterator[tuple[Sequence[ClipQuestion], R | QuestionError]]:
    """`run` a batch; if it fails as a whole, run it in parts, down to single questions.

    `in_turn` is for a single question that does not fit in memory: it runs what `run` does side by side one after the
    other; None: nothing runs side by side. Yields every part with its result, or with the error of the one question in
    it. Other errors are raised.
    """
    result = _result(run, batch)
    if in_turn is not None and len(batch) == 1 and isinstance(result, OutOfMemoryError):
        result = _result(in_turn, batch)
    if len(batch) == 1 or not isinstance(result, QuestionError):
        yield batch, result
        return
    size = 1
    if isinstance(result, OutOfMemoryError):
        limit.shrink(len(batch))
        size = limit.most
    for start in range(0, len(batch), size):
        yield from in_parts(batch[start : start + size], run, limit, in_turn)


def _result(run: Callable[[Sequence[ClipQuestion]], R], batch: Sequence[ClipQuestion]) -> R | QuestionError:
    """What a run of the batch gives, or the question error that it ends with.

    It returns the error, so that nothing keeps the failed batch's tensors alive when another run begins.
    """
    try:
        return run(batch)
    except (QuestionError, RuntimeError, MemoryError) as error:
        return _as_question_error(error, max(one.encoded.length for one in batch))


def _as_question_error(error: Exception, length: int) -> QuestionError:
    if isinstance(error, QuestionError):
        return error
    if not is_out_of_memory(error):
        raise error
    return OutOfMemoryError(
        f"out of memory: a prompt of {length} tokens does not fit, even alone; use fewer --frames, or --dtype bfloat16"
    )


def _grouped(
    questions: Iterable[ClipQuestion], key: Callable[[ClipQuestion], Hashable]
) -> Iterable[Sequence[ClipQuestion]]:
    groups: dict[Hashable, list[ClipQuestion]] = {}
    for one in questions:
        groups.setdefault(key(one), []).append(one)
    return groups.values()


def _cut(group: Sequence[ClipQuestion], adapter: Adapter, limit: BatchLimit) -> Iterator[Sequence[ClipQuestion]]:
    start = 0
    while start < len(group):
        size = allowed(group, adapter, limit)
        yield group[start : start + size]
        start += size


def transcript_end(prompt: EncodedPrompt) -> int:
    """The number of tokens of a prompt up to the end of its last utterance."""
    return max((int(span[-1]) + 1 for span in prompt.token_spans if span.size), default=prompt.prefix)


def _transcript(prompt: EncodedPrompt) -> bytes:
    return prompt.ids[: transcript_end(prompt)].tobytes()
