"""The line in the titles of pictures that says how the questions were asked."""

from __future__ import annotations

from socialcli.settings.run import RunSettings


def how_asked(settings: RunSettings) -> str:
    """The model, and what it is shown and how it answers, in words."""
    model, prompt = settings.model.name, settings.prompt
    shown = prompt.inputs if prompt.boxes_as == "none" else f"{prompt.inputs}, boxes as {prompt.boxes_as}"
    return f"{model}, {shown}, context {prompt.context}, frames {prompt.frames}, answer {prompt.answer}"
