"""The Python interface: load a model by name, open a clip in it, ask.

What the commands do, these few functions do; README.md shows them at work.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from socialcli.episodes.records import Episode, Question
from socialcli.models.contract import Adapter, LoadOptions
from socialcli.plugins.registry import registry

if TYPE_CHECKING:
    from socialcli.inference.asked import AskedQuestion
    from socialcli.inference.session import ClipSession


def load_model(
    name: str,
    checkpoint: str | Path | None = None,
    *,
    device: str = "auto",
    dtype: str = "auto",
    frame_fit: str | None = None,
    adapter: str | Path | None = None,
    merge: bool = False,
    revision: str | None = None,
    allow_links: bool = False,
    positions: str | None = None,
    max_pixels: int | None = None,
) -> Adapter:
    """Load a model that a plug-in provides, from a folder or a hub id (default: the model's own).

    `frame_fit`, `positions` and `max_pixels` are for the families that leave these choices (None: their default).
    On top of it comes the LoRA `adapter` in a local folder, where one is named: beside the weights, or with `merge`
    added to them. `revision` is a branch, tag or commit of a hub id; `allow_links` follows symbolic links out of the
    checkpoint's folder. Raises UnknownNameError for a name that nobody provides, CheckpointError for a checkpoint or an
    adapter that cannot be had, UsageError for options that contradict each other.
    """
    spec = registry().model(name).item
    source, lora = str(checkpoint or spec.default_checkpoint), None if adapter is None else str(adapter)
    return spec.load_checked(
        LoadOptions(
            source,
            device,
            dtype,
            frame_fit,
            adapter=lora,
            merge=merge,
            revision=revision,
            allow_links=allow_links,
            other_models=registry().other_models(name),
            positions=positions,
            max_pixels=max_pixels,
        )
    )


def open_clip(model: Adapter, episode: Episode, media_root: str | Path, **options: Any) -> ClipSession:
    """Sample an episode's video and prepare it for `model`; `options` are those of `AskOptions`. Raises VideoError."""
    from socialcli.inference.clip_view import AskOptions
    from socialcli.inference.session import ClipSession

    return ClipSession(model, episode, AskOptions(media_root=Path(media_root), **options))


def ask(clip: ClipSession, question: Question) -> AskedQuestion:
    """Put a question of the clip's episode into words and tokens, and plan its alignment.

    Raises UnknownNameError for a task that nobody provides, AnnotationError and PromptError for the question.
    """
    return clip.ask(question, registry().task(question.task).item)
