"""The titles of the pictures: what was measured, and how."""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.verbs.measure.attention_table import MeasureSettings


@dataclass(frozen=True, slots=True)
class Description:
    """The subject of a picture."""

    settings: MeasureSettings
    episodes: int
    prompts: int

    def title(self, what: str) -> str:
        """Three lines: what the picture shows, of what, and under which settings."""
        settings = self.settings
        shown = settings.inputs if settings.boxes_as == "none" else f"{settings.inputs}, boxes as {settings.boxes_as}"
        many = f"{_counted(self.episodes, 'episode')}, {_counted(self.prompts, 'question')}"
        return (
            f"{what}\n"
            f"{settings.model}, {shown}, context {settings.context}, {_counted(settings.frames, 'frame')}; {many}\n"
            f"alignment: layers {settings.layers}, {settings.bias} bias, "
            f"alpha {settings.alpha:g}, lambda {settings.lambda_:g}"
        )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s'[: count != 1]}"
