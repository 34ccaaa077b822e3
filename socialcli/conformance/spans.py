"""(torch) Spans of text against the tokens that encode them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from socialcli.conformance.checks import Case
from socialcli.conformance.subject import Subject
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import Adapter

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"  # what the first bytes of a character decode to


def spans(subject: Subject) -> Iterator[Case]:
    """Decode the tokens of every utterance, and of every word of the longest prompt."""
    for one in subject.asked:
        yield _case(f"utterances, {one.question.task}", subject.adapter, one, one.prompt.spans)
    longest = max(subject.asked, key=lambda one: len(one.prompt.text))
    yield _case("every word", subject.adapter, longest, _words(longest.prompt.text))


def _case(name: str, adapter: Adapter, asked: ClipQuestion, wanted: Sequence[tuple[int, int]]) -> Case:
    text = asked.prompt.text
    encoded = adapter.encode_prompt(text, wanted, asked.clip.clip)
    decoded = _Decoded(adapter, encoded.ids[encoded.prefix :])
    if (start := decoded.whole.find(text)) < 0:
        return Case(name, "failed", f"the prompt's ids do not decode to its text, but to {decoded.whole[:200]!r}")
    problems = []
    for (first, last), tokens in zip(wanted, encoded.token_spans, strict=True):
        problem = decoded.problem(tokens - encoded.prefix, start + first, start + last)
        if problem is not None:
            problems.append(f"{text[first:last]!r} {problem}")
    if problems:
        return Case(name, "failed", f"{len(problems)} of {len(wanted)} spans are wrong: {problems[0]}")
    return Case(name, "passed", f"{len(wanted)} spans")


class _Decoded:
    """The text that ids decode to, and the characters of it that each token begins and ends at."""

    def __init__(self, adapter: Adapter, ids: npt.NDArray[np.int64]) -> None:
        self._adapter = adapter
        self._ids = ids.tolist()
        self.whole = adapter.decode(self._ids)

    def problem(self, tokens: npt.NDArray[np.int64], start: int, end: int) -> str | None:
        """What is wrong with `tokens` as those of the characters [start, end); None: nothing."""
        if not tokens.size:
            return "has no tokens"
        first, last = int(tokens[0]), int(tokens[-1])
        found = f"has the tokens of {self.whole[self._finished(first) : self._begun(last + 1)]!r}"
        if not np.array_equal(tokens, np.arange(first, last + 1)):
            return f"{found}, with gaps"
        if self._begun(first) > start:
            return f"{found}: its beginning is missing"
        if self._finished(last + 1) < end:
            return f"{found}: its end is missing"
        if self._begun(first + 1) <= start:
            return f"{found}: the first is a neighbour's"
        if self._finished(last) >= end:
            return f"{found}: the last is a neighbour's"
        return None

    def _finished(self, count: int) -> int:
        """The characters that the first `count` tokens decode to, without one whose bytes are incomplete."""
        return len(self._adapter.decode(self._ids[:count]).rstrip(_INCOMPLETE))

    def _begun(self, count: int) -> int:
        """The same with the incomplete one."""
        decoded = self._adapter.decode(self._ids[:count])
        return len(decoded.rstrip(_INCOMPLETE)) + decoded.endswith(_INCOMPLETE)


def _words(text: str) -> list[tuple[int, int]]:
    """[start, end) of the words of `text`."""
    found, start = [], 0
    for word in text.split():
        start = text.index(word, start)
        found.append((start, start + len(word)))
        start += len(word)
    return found
