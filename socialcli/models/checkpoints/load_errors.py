"""Whatever a library says of files that it cannot load, as one error of one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from socialcli.errors import CheckpointError, SocialcliError

_LONGEST = 400  # characters kept of a library's message: some list every weight of a model


@contextmanager
def explaining(what: str, advice: str) -> Iterator[None]:
    """Turn what breaks off the block into a CheckpointError: `what` cannot be loaded, why, and `advice`.

    An error of socialcli's own passes as it is.
    """
    try:
        yield
    except SocialcliError:
        raise
    except Exception as error:  # of any class, ZeroDivisionError and a bare Exception included, by what is broken
        named = "" if isinstance(error, OSError | ValueError) else f"{type(error).__name__}: "
        reason = (named + one_line(error))[:_LONGEST].rstrip(". ")
        if "trust_remote_code" in str(error):  # nothing that a user could or should set here
            reason = "it needs code of its own, which is never run"
        raise CheckpointError(f"{what} cannot be loaded: {reason}. {advice}") from error


def one_line(error: BaseException) -> str:
    """The error's message without line breaks."""
    return " ".join(str(error).split())
