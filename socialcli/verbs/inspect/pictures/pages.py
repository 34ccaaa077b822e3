"""Compose pages: one per frame with its legend, and a contact sheet of all frames of a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from socialcli.alignment.steering.modes import METHOD
from socialcli.verbs.inspect.pictures.chart import utterance_chart
from socialcli.verbs.inspect.pictures.drawing import LONG_SIDE, colors_of, draw_frame
from socialcli.verbs.inspect.pictures.layout import Line, block, stacked
from socialcli.verbs.inspect.report import InspectedBox, Inspection
from socialcli.verbs.inspect.text import called, counted, frames_named, people_shown, ranges, steering_named
from socialcli.video.frames import FrameSet
from socialcli.video.lettering import MARGIN, PAPER, TITLE

THUMB = 480  # long side of a frame on the sheet, pixels
COLUMNS = 4
_TINTED = {  # the meaning of a tint, and whether the boxes of merged frames have a lighter one
    "boxes": ("Tinted: covered by the speaker's box in this frame.", True),
    "people": ("Tinted: covered by somebody's box in this frame; all words are aligned to all of it.", True),
    "model": ("Tinted: where the speaker's words look, which is taken for the speaker's region.", False),
    "none": ("Nothing is aligned.", False),
}
EDGE = 1e-6  # pixels; less than this beyond an edge is rounding


def frame_page(inspection: Inspection, frames: FrameSet, index: int) -> Image.Image:
    """The drawn frame with a title above and its legend below."""
    picture = draw_frame(inspection, frames, index)
    scale = max(picture.size) / LONG_SIDE
    head = block([Line(_title(inspection, index), size=TITLE), *_spoken(inspection, index)], picture.width, scale)
    notes = _notes(inspection, _step_of(inspection, index))
    legend = block([*legend_lines(inspection, index), *notes], picture.width, scale)
    return stacked([head, picture, legend])


def sheet(inspection: Inspection, frames: FrameSet) -> Image.Image:
    """All frames of the question side by side, with the legend and the chart of the frames F(u)."""
    contact = _contact([_thumb(inspection, frames, index) for index in range(len(frames.frames))])
    every_frame = range(len(inspection.frames))
    head = block(list(_sheet_head(inspection)), contact.width)
    lines = [*_sheet_legend(inspection), *_notes(inspection, every_frame), *_bias_lines(inspection)]
    legend = block(lines, contact.width)
    return stacked([head, contact, legend, utterance_chart(inspection, contact.width)])


def _title(inspection: Inspection, index: int) -> str:
    frame, last = inspection.frames[index], len(inspection.frames) - 1
    others = [other for other in _step_of(inspection, index) if other != index]
    merged = f" (merged with {frames_named(others)})" if others else ""
    return f"Frame {index} of 0-{last}, {frame.time:.3f} s, step {frame.step}{merged}"


def _step_of(inspection: Inspection, index: int) -> list[int]:
    """The frames that the model merges into one step with frame `index`, including it."""
    return [frame.index for frame in inspection.frames if frame.step == inspection.frames[index].step]


def _spoken(inspection: Inspection, index: int) -> Iterator[Line]:
    yield Line(f"{inspection.name}, {inspection.model}")
    lines = [f"{line.id} ({line.label})" for line in inspection.utterances if index in line.frames]
    yield Line(f"In F(u) of: {', '.join(lines) or 'no utterance'}")


def legend_lines(inspection: Inspection, index: int) -> Iterator[Line]:
    """A line for each speaker: the tokens that the speaker's box covers in frame `index`, or the region found there."""
    boxes = {box.speaker: box for box in inspection.boxes if box.frame == index}
    step = inspection.frames[index].step
    found = {one.speaker: len(one.tokens) for one in inspection.regions if one.step == step}
    for speaker, color in colors_of(inspection).items():
        state = _state(boxes.get(speaker))
        if inspection.steering.regions.by_model:
            state = f"region of {counted(found.get(speaker, 0), 'token')}; {state}"
        yield Line(f"{called(inspection, speaker)}: {state}", color.rgb)


def _state(box: InspectedBox | None) -> str:
    if box is None:
        return "no box in this frame"
    tokens = f"box covers {counted(len(box.tokens), 'token')}" if box.tokens else "box covers NO token"
    return f"{tokens}, the model sees {box.seen:.0%} of the box"


def _notes(inspection: Inspection, shown: Sequence[int]) -> Iterator[Line]:
    """The meaning of the signs that can occur in the pictures of the frames `shown`."""
    grid = inspection.grid
    if grid is None:
        return
    _, height, width = grid.tokens.shape
    tinted, merged = _TINTED[inspection.steering.regions.source]
    yield Line(f"Grid of {height} x {width} cells, one token each. {tinted}")
    if merged and any(len(frames) > 1 and frames[0] in shown for frames in grid.frames):
        yield Line("Lightly tinted: covered only in the frame that the model merges with this one.")
    steps = {inspection.frames[index].step for index in shown}
    owners = {(token, box.speaker) for box in inspection.boxes if box.frame in shown and merged for token in box.tokens}
    owners |= {(token, one.speaker) for one in inspection.regions if one.step in steps for token in one.tokens}
    if len({token for token, _ in owners}) < len(owners):
        yield Line("Striped: in the regions of several speakers.")
    frame, seen = inspection.frames[0], grid.seen
    if seen[0] < -EDGE or seen[1] < -EDGE:
        yield Line("Grey: padding that the model gets around the frame.")
    if (frame.seen[2] - frame.seen[0]) * (frame.seen[3] - frame.seen[1]) < frame.width * frame.height - EDGE:
        yield Line("Dark: the model does not see this part of the frame.")


def _sheet_head(inspection: Inspection) -> Iterator[Line]:
    yield Line(f"{inspection.name}, {inspection.model}", size=TITLE)
    fit = f", frame fit {inspection.choices.frame_fit}" if inspection.choices.frame_fit else ""
    frame = inspection.frames[0]
    task = "No question" if inspection.question is None else f"Task {inspection.question.task}"
    yield Line(
        f"{task}, inputs {inspection.inputs}, boxes as {inspection.options.boxes_as}, "
        f"context {inspection.options.context}{fit}; frames of {frame.width} x {frame.height} pixels"
    )


def _bias_lines(inspection: Inspection) -> Iterator[Line]:
    """What a steering mode other than the method's does; the method's is in the chart."""
    if inspection.steering.mode is METHOD.mode:
        return
    name = steering_named(inspection.steering)
    yield Line(f"Biases of --steer {name}:" if inspection.steered else f"--steer {name} biases nothing.")
    for one in inspection.steered:
        towards = f"{counted(len(one.columns), 'visual token')}, {people_shown(inspection, one.columns)}"
        yield Line(f"{one.part} (tokens {ranges(one.tokens)}), weight {one.weight:+g}: {towards}")


def _sheet_legend(inspection: Inspection) -> Iterator[Line]:
    for speaker, color in colors_of(inspection).items():
        boxes = [box for box in inspection.boxes if box.speaker == speaker]
        lost = [box.frame for box in boxes if not box.tokens]
        tokens = {token for box in boxes for token in box.tokens}
        where = f"{counted(len(tokens), 'token')} in {counted(len(boxes), 'frame')} with a box"
        text = f"{called(inspection, speaker)}: {where}"
        if lost:
            text += f"; the box covers NO token in {frames_named(lost)}"
        yield Line(text, color.rgb)


def _thumb(inspection: Inspection, frames: FrameSet, index: int) -> Image.Image:
    picture = draw_frame(inspection, frames, index, THUMB)
    frame = inspection.frames[index]
    caption = Line(f"frame {index}, {frame.time:.3f} s, step {frame.step}")
    return stacked([block([caption], picture.width, margin=4), picture])


def _contact(thumbs: Sequence[Image.Image]) -> Image.Image:
    columns = min(COLUMNS, len(thumbs))
    across, down = thumbs[0].width + MARGIN, thumbs[0].height + MARGIN
    rows = -(-len(thumbs) // columns)
    # At least as wide as two frames, so that the text around a few narrow ones has room.
    page = Image.new("RGB", (max(columns * across, 2 * THUMB) + MARGIN, rows * down), PAPER)
    for place, thumb in enumerate(thumbs):
        page.paste(thumb, (MARGIN + place % columns * across, place // columns * down))
    return page
