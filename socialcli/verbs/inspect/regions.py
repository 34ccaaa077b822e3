"""The regions that a model finds for the speakers of a prompt, beside the annotated boxes where there are some."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from socialcli.alignment.plan import cover_speakers
from socialcli.alignment.regions.agreement import Agreement, agreement_by_step
from socialcli.alignment.steering.modes import Steering
from socialcli.inference.regions.clip_regions import lines_by_speaker
from socialcli.verbs.inspect.steered import Tokens

if TYPE_CHECKING:
    from socialcli.inference.clip import ClipQuestion


@dataclass(frozen=True, slots=True)
class InspectedRegion:
    """The region V(s, f) of a speaker in one temporal step, as the model finds it."""

    speaker: str
    step: int
    tokens: Tokens
    agreement: Agreement | None  # with the speaker's boxes in the step's frames; None without one

    def as_record(self) -> dict[str, Any]:
        """The region as JSON values."""
        figures = None if self.agreement is None else asdict(self.agreement)
        return {"speaker": self.speaker, "step": self.step, "tokens": list(self.tokens), "agreement": figures}


def inspected_regions(asked: ClipQuestion, steering: Steering) -> tuple[InspectedRegion, ...]:
    """The regions of `--regions model`, by speaker and step; none from any other source. Raises as planning does."""
    clip, heads = asked.clip, steering.regions.heads
    seen = None if heads is None else clip.steered(asked, steering)
    if heads is None or seen is None:
        return ()
    boxes = cover_speakers(clip.episode.boxes, seen.times, seen.grid, clip.options.box_gap)
    lines = lines_by_speaker(seen.utterances, [asked.prompt.text[start:end] for start, end in asked.prompt.spans])
    found = []
    for speaker, region in seen.regions.items():
        attention = clip.regions.attention(lines[speaker], heads)
        if attention is None:
            continue
        box = boxes.get(speaker)
        figures = {} if box is None else agreement_by_step(attention, region, box, seen.grid)
        for step, tokens in enumerate(region.tokens):
            found.append(InspectedRegion(speaker, step, tuple(tokens.tolist()), figures.get(step)))
    return tuple(found)
