"""Errors of the libraries that load files, as one CheckpointError of one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from socialcli.errors import CheckpointError, SocialcliError

_LONGEST = 400  # characters kept of a library's message: some list every weight of a model


@contextmanager
def as_checkpoint_error(what: str, advice: str) -> Iterator[None]:
    """Re-raise any error in the block as a CheckpointError: `what` cannot be loaded, the reason, and `advice`.

    Errors of socialcli itself pass unchanged.
    """
    try:
        yield
    except SocialcliError:
        raise
    except Exception as error:  # broken files raise anything, ZeroDivisionError and a bare Exception included
        named = "" if isinstance(error, OSError | ValueError) else f"{type(error).__name__}: "
        reason = (named + one_line(error))[:_LONGEST].rstrip(". ")
        if "trust_remote_code" in str(error):  # nothing that a user could or should set here
            reason = "it needs its own code, which is never run"
        raise CheckpointError(f"{what} cannot be loaded: {reason}. {advice}") from error


def one_line(error: BaseException) -> str:
    """The error's message without line breaks."""
    return " ".join(str(error).split())
