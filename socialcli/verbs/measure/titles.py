"""The titles of the pictures: what was measured, and how."""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.verbs.measure.attention_table import MeasuredUnder


@dataclass(frozen=True, slots=True)
class Description:
    """What a picture is of."""

    under: MeasuredUnder
    episodes: int
    prompts: int

    def title(self, what: str) -> str:
        """Three lines: what the picture shows, of what, and under which settings."""
        under = self.under
        shown = under.inputs if under.boxes_as == "none" else f"{under.inputs}, boxes as {under.boxes_as}"
        many = f"{_counted(self.episodes, 'episode')}, {_counted(self.prompts, 'question')}"
        return (
            f"{what}\n"
            f"{under.model}, {shown}, context {under.context}, {_counted(under.frames, 'frame')}; {many}\n"
            f"alignment: layers {under.layers}, {under.bias} bias, alpha {under.alpha:g}, lambda {under.lambda_:g}"
        )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s'[: count != 1]}"
