"""(torch) The processor called as the base class of adapters calls it, and what it needs besides the frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from transformers.video_utils import VideoMetadata

from socialcli.errors import CheckpointError
from socialcli.verbs.plugin.new.facts import FrameInput
from socialcli.verbs.plugin.new.reading.conversation import Conversation

Pixels = npt.NDArray[np.uint8]  # (frames, height, width, 3)

_FPS = 2.0
_MOST_NEEDED = 4  # frames; a processor that needs more is refused
# What VideoMetadata may have to say, the least first.
_METADATA: tuple[tuple[str, ...], ...] = ((), ("fps", "frames_indices"), ("fps", "frames_indices", "duration"))


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls a processor on whole conversations about frames."""

    conversation: Conversation
    metadata: tuple[str, ...] = ()  # fields of VideoMetadata that each call names
    fewest: int = 1  # frames
    takes_times: bool = False  # whether the metadata may hold the frames' times, seconds, instead of their rate

    @property
    def processor(self) -> Any:
        """The processor."""
        return self.conversation.processor

    def call(self, frames: Pixels, fps: float = _FPS) -> Any:
        """The processor's output for a question about the frames. Raises whatever the processor raises."""
        if len(frames) < self.fewest:
            frames = np.concatenate([frames, *[frames[-1:]] * (self.fewest - len(frames))])
        text = [self.conversation.render(len(frames))]
        if self.conversation.as_images:
            return self.processor(text=text, images=[list(frames)], return_tensors="pt")
        described = {"video_metadata": [self._described(len(frames), fps)]} if self.metadata else {}
        # By text, as the base class of adapters calls it: some processors count the videos of each.
        return self.processor(text=text, videos=[[frames]], do_sample_frames=False, return_tensors="pt", **described)

    @property
    def facts(self) -> FrameInput:
        """How the processor takes frames."""
        conversation = self.conversation
        return FrameInput(conversation.as_images, conversation.source, self.metadata, self.fewest, self.takes_times)

    def _described(self, count: int, fps: float) -> VideoMetadata:
        """What transformers wants to know of `count` frames that are sampled already."""
        known: dict[str, Any] = {"fps": fps, "frames_indices": list(range(count)), "duration": count / fps}
        if self.takes_times:
            known |= {"fps": 1.0, "frames_indices": [index / fps for index in range(count)]}
        return VideoMetadata(total_num_frames=count, **{name: known[name] for name in self.metadata})


def find_call(conversation: Conversation, what: str) -> Caller:
    """A call that the processor accepts, with no more metadata and frames than it needs.

    Raises CheckpointError where it accepts none.
    """
    errors: list[Exception] = []
    for metadata in _METADATA[:1] if conversation.as_images else _METADATA:
        caller = Caller(conversation, metadata)
        if (error := _refusal(caller, noise(_MOST_NEEDED, 320, 240))) is not None:
            errors.append(error)
        elif metadata or not _depends_on_time(conversation):
            return Caller(conversation, metadata, _fewest(caller), bool(metadata) and _takes_times(caller))
    raise CheckpointError(
        f"{what}: its processor refuses {_MOST_NEEDED} frames of 320x240 pixels: {errors[-1]}; without a call that "
        "works, nothing can be read off it"
    )


def noise(count: int, width: int, height: int) -> Pixels:
    """Frames of coarse random colour, each different from the one before."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (count, height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return np.ascontiguousarray(small.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width])


def _refusal(caller: Caller, frames: Pixels) -> Exception | None:
    try:
        caller.call(frames)
    except Exception as error:  # a processor's own checks raise any class
        return error
    return None


def _depends_on_time(conversation: Conversation) -> bool:
    """Whether the rate of the frames changes anything that the model gets."""
    caller = Caller(conversation, _METADATA[1])
    frames = noise(_MOST_NEEDED, 320, 240)
    try:
        slow, fast, unknown = caller.call(frames, 0.5), caller.call(frames, 4.0), Caller(conversation).call(frames)
    except Exception:  # it needs no metadata, and does not accept it either
        return False
    return not (_same(slow, fast) and _same(slow, unknown))


def _takes_times(caller: Caller) -> bool:
    """Whether the frames' times as indices, at a rate of 1, give what their rate gives: then they need not be even."""
    frames, timed = noise(_MOST_NEEDED, 320, 240), replace(caller, takes_times=True)
    return _refusal(timed, frames) is None and _same(timed.call(frames), caller.call(frames))


def _same(one: Any, other: Any) -> bool:
    if one.keys() != other.keys():
        return False
    arrays = [(np.asarray(one[name]), np.asarray(other[name])) for name in one if name != "video_metadata"]
    return all(left.shape == right.shape and bool((left == right).all()) for left, right in arrays)


def _fewest(caller: Caller) -> int:
    return next(count for count in range(1, _MOST_NEEDED + 1) if _refusal(caller, noise(count, 320, 240)) is None)
