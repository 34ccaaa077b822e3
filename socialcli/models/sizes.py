"""Clips with many visual tokens: counted, and reported with the options that reduce them."""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.models.contract import ClipSize, ModelSpec

MANY_VISUAL_TOKENS = 4096
"""Above this many visual tokens in one clip, its frames take most of a prompt's memory and time."""


@dataclass(slots=True)
class LargeClips:
    """Counts the clips with more than `MANY_VISUAL_TOKENS`; memory use does not grow with their number."""

    clips: int = 0
    large: int = 0
    most: int = 0
    largest: str = ""  # the episode of the clip with the most tokens

    def add(self, episode_id: str, tokens: int) -> None:
        """Count a clip by its visual tokens."""
        self.clips += 1
        self.large += tokens > MANY_VISUAL_TOKENS
        if tokens > self.most:
            self.most, self.largest = tokens, episode_id

    def note(self, model: ModelSpec) -> str | None:
        """The note for the user, with the options that make fewer tokens; None if no clip is large."""
        if not self.large:
            return None
        clips = f"{self.large} of {self.clips} clip{'' if self.clips == 1 else 's'}"
        make = "makes" if self.large == 1 else "make"
        ways = "a smaller --max-pixels or fewer --frames" if model.max_pixels is not None else "fewer --frames"
        return (
            f"{clips} {make} more than {MANY_VISUAL_TOKENS:,} visual tokens for {model.name}, {self.largest} "
            f"the most ({self.most:,}): memory and time grow with them; {ways} make fewer"
        )


def expected_visual_tokens(
    model: ModelSpec, frames: int, width: int, height: int, max_pixels: int | None = None
) -> int | None:
    """The visual tokens of a clip with the model's default checkpoint; None if the plug-in cannot say.

    Raises UsageError for `max_pixels` where the model has no cap.
    """
    if model.visual_tokens is None:
        return None
    return model.visual_tokens(ClipSize(frames, width, height, model.choose(max_pixels=max_pixels).max_pixels))
