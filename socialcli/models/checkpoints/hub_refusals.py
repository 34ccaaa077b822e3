"""What huggingface_hub's errors mean for the user, and what to do about each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

_HUB = "https://huggingface.co"


def hub_refusal(error: BaseException, checkpoint: str, revision: str | None) -> str:
    """The message for huggingface_hub's error about `checkpoint`, a hub id: what it means, and what to do."""
    what = f"checkpoint {checkpoint!r}"
    causes = list(_chain(error))
    for kind, explain in _HUB_ERRORS:
        for cause in causes:
            if isinstance(cause, kind) and (reason := explain(cause, checkpoint, revision)):
                return f"{what}: there is no such folder, and as a hub id: {reason}"
    return f"{what}: there is no such folder, and as a hub id: {' '.join(str(error).split())[:200]}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes: huggingface_hub hides the network error behind one about its empty cache."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _gated(_: BaseException, checkpoint: str, revision: str | None) -> str:
    return (
        f"its files require accepting its licence: do so at {_HUB}/{checkpoint}, then log in with "
        "`hf auth login`, or set HF_TOKEN"
    )


def _no_revision(_: BaseException, checkpoint: str, revision: str | None) -> str:
    return f"it has no revision {revision!r}; {_HUB}/{checkpoint}/commits/main lists them"


def _no_repository(_: BaseException, checkpoint: str, revision: str | None) -> str:
    return (
        "no repository has this name, or it is private; check the name, and for a private one log in with "
        "`hf auth login`, or set HF_TOKEN"
    )


def _refused(error: BaseException, checkpoint: str, revision: str | None) -> str | None:
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
    if status == 429:
        return (
            "the hub limits requests; try again in a few minutes, log in with `hf auth login`, or, if the cache has "
            "the files, set HF_HUB_OFFLINE=1"
        )
    if status in (401, 403):
        return f"access is refused ({status}); log in with `hf auth login`, or set HF_TOKEN to one that may read it"
    if status >= 500:
        return f"the hub has an internal error ({status}); try again later, or set HF_HUB_OFFLINE=1 to use the cache"
    return None


def _offline(_: BaseException, checkpoint: str, revision: str | None) -> str:
    version = f" --revision {revision}" if revision else ""
    return (
        "HF_HUB_OFFLINE is set and the hub's cache does not hold it; fetch it with "
        f"`HF_HUB_OFFLINE=0 hf download {checkpoint}{version}`, or name a folder with --checkpoint"
    )


def _unreachable(_: BaseException, checkpoint: str, revision: str | None) -> str:
    version = f" --revision {revision}" if revision else ""
    return (
        f"{_HUB} cannot be reached, and the hub's cache does not hold it; check the network, or fetch it elsewhere "
        f"with `hf download {checkpoint}{version}` and name the folder with --checkpoint"
    )


_Explain = Callable[[BaseException, str, str | None], str | None]
# The first match wins, for the error or one of its causes; GatedRepoError is a subclass of RepositoryNotFoundError.
_HUB_ERRORS: Sequence[tuple[type[BaseException], _Explain]] = (
    (GatedRepoError, _gated),
    (RevisionNotFoundError, _no_revision),
    (RepositoryNotFoundError, _no_repository),
    (HfHubHTTPError, _refused),
    (OfflineModeIsEnabled, _offline),
    (LocalEntryNotFoundError, _unreachable),
)
