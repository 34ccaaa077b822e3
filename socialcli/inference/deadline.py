"""(torch) A time limit for questions in the model.

The clock is checked before every block of the model, vision tower and decoder alike. Unlike a signal, this never stops
a block halfway, so the next question finds the model in a clean state.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.nn import Module, ModuleList

from socialcli.errors import TimeLimitError
from socialcli.models.contract import Adapter


@contextmanager
def time_limit(adapter: Adapter, seconds: float | None, questions: int) -> Iterator[None]:
    """Limit a batch of `questions` to `seconds` for each of them; None: no limit.

    Raises TimeLimitError at the first block of the model that begins too late.
    """
    if seconds is None:
        yield
        return
    due = time.monotonic() + seconds * questions

    def check(_module: Module, _arguments: Any) -> None:
        if time.monotonic() > due:
            raise TimeLimitError(f"the model takes longer than --timeout-per-question {seconds:g} allows")

    blocks = [block for part in adapter.model.modules() if isinstance(part, ModuleList) for block in part]
    hooks = [block.register_forward_pre_hook(check) for block in blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
