"""Clips that are large for a model: how many visual tokens is many, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.models.contract import ClipSize, ModelSpec

MANY_VISUAL_TOKENS = 4096
"""Beyond so many tokens of one clip, memory and time of a prompt go to little but its frames."""


@dataclass(slots=True)
class LargeClips:
    """Counts the clips that make more than `MANY_VISUAL_TOKENS`; numbers and one name, whatever their count."""

    clips: int = 0
    large: int = 0
    most: int = 0
    largest: str = ""  # the episode of the clip with the most tokens

    def add(self, episode_id: str, tokens: int) -> None:
        """Take the visual tokens of a clip."""
        self.clips += 1
        self.large += tokens > MANY_VISUAL_TOKENS
        if tokens > self.most:
            self.most, self.largest = tokens, episode_id

    def note(self, model: ModelSpec) -> str | None:
        """What to tell, and which options make fewer tokens; None where no clip is large."""
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
    """The visual tokens of a clip as the model's default checkpoint makes them; None where nobody knows without it.

    Raises UsageError for `max_pixels` where the model has no such choice.
    """
    if model.visual_tokens is None:
        return None
    return model.visual_tokens(ClipSize(frames, width, height, model.choose(max_pixels=max_pixels).max_pixels))
