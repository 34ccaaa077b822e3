"""An inspection as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.regions.sources import Regions
from socialcli.alignment.steering.modes import Steering
from socialcli.episodes.coverage.messages import coverage_line
from socialcli.verbs.inspect.regions import InspectedRegion
from socialcli.verbs.inspect.report import Inspection, Rectangle


def render(inspection: Inspection) -> str:
    """The inspection as paragraphs with headings, without a final newline."""
    parts = (_heading, _frames, _grid, _prompt, _utterances, _boxes, _regions, _biases, _summary)
    paragraphs = ("\n".join(part(inspection)) for part in parts)
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers, with consecutive ones as ranges: "3, 7-9"; "none" if there are none."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs) or "none"


def counted(count: int, noun: str) -> str:
    """A number and its noun: "1 token", "2 tokens", "no tokens"."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def frames_named(frames: Sequence[int]) -> str:
    """Frames by their indices: "frame 3", "frames 0, 2-4"."""
    return f"frame{'s' if len(frames) > 1 else ''} {ranges(frames)}"


def called(inspection: Inspection, speaker: str) -> str:
    """A speaker's label in the prompt, followed by the id if the two differ."""
    label = inspection.labels[speaker]
    return label if label.replace(" ", "").lower() == speaker.lower() else f"{label} ({speaker})"


def _heading(inspection: Inspection) -> Iterable[str]:
    options = inspection.options
    question = inspection.question
    if question is None:
        yield f"Episode {inspection.episode.episode_id}, which has no questions"
    else:
        yield f"Question {question.id} of episode {inspection.episode.episode_id}"
    settings = {
        "task": None if question is None else question.task,
        "model": inspection.model,
        "checkpoint": inspection.checkpoint,
        "inputs": inspection.inputs,
        "boxes as": options.boxes_as,
        "context": options.context,
        "steer": steering_named(inspection.steering),
        "regions": regions_named(inspection.steering.regions),
        "frame fit": inspection.choices.frame_fit,
        "positions": inspection.choices.positions,
        "max pixels": inspection.choices.max_pixels,
    }
    yield "  " + ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None)


def _frames(inspection: Inspection) -> Iterable[str]:
    frames = inspection.frames
    if not frames:
        yield "Frames: none, the model gets no video"
        return
    first = frames[0]
    repeated = f", {inspection.distinct_frames} of them distinct" if inspection.distinct_frames < len(frames) else ""
    yield f"Frames: {len(frames)}{repeated}, of {first.width}x{first.height} pixels"
    x0, y0, x1, y1 = first.seen
    share = (x1 - x0) * (y1 - y0) / (first.width * first.height)
    yield f"  of each the model sees x {x0:.1f} to {x1:.1f}, y {y0:.1f} to {y1:.1f}: {share:.0%} of the picture"
    yield from _table(["frame", "time s", "step"], ([f.index, f"{f.time:.3f}", f.step] for f in frames))


def _grid(inspection: Inspection) -> Iterable[str]:
    grid = inspection.grid
    if grid is None:
        return
    steps, height, width = grid.tokens.shape
    cells, shown = grid.tokens.size, grid.shown.size
    what = "keys of cross-attention" if grid.cross_attention else "visual tokens"
    found = f"{shown} {what}" if shown == cells else f"{cells} cells, {shown} of them shown by {what}"
    yield f"Visual grid: {steps} steps of {height} rows x {width} columns = {found}"
    across, down = (grid.cells[0, 0, 2:] - grid.cells[0, 0, :2]).tolist()
    yield f"  a cell is {across:.2f} x {down:.2f} pixels, the first one's corner is at {_corner(grid)}"
    rows = ([step, ranges(frames), ranges(_shown(grid, step))] for step, frames in enumerate(grid.frames))
    yield from _table(["step", "shows frames", "tokens"], rows)


def _shown(grid: VisualGrid, step: int) -> list[int]:
    return sorted(token for token in grid.tokens[step].flat if token >= 0)


def _corner(grid: VisualGrid) -> str:
    x, y = grid.cells[0, 0, :2].tolist()
    beyond = ", beyond the frame: padding" if x < 0 or y < 0 else ""
    return f"({x:.1f}, {y:.1f}){beyond}"


def _prompt(inspection: Inspection) -> Iterable[str]:
    part = "Prompt" if inspection.question is not None else "Prompt before any question"
    yield f"{part}: {len(inspection.token_ids)} tokens with the conversation format; its text:"
    yield from (f"  | {line}" for line in inspection.prompt.removesuffix("\n").split("\n"))


def _utterances(inspection: Inspection) -> Iterable[str]:
    yield "Utterances: label and words, and the frames F(u) they are aligned in"
    rows = []
    for line, columns in zip(inspection.utterances, inspection.pairs, strict=True):
        who = called(inspection, line.speaker) if line.speaker is not None else f"{line.label} (nobody knows)"
        unknown = line.speaker is None and not columns
        aligned = "no tokens: its speaker is not known" if unknown else counted(len(columns), "token")
        time = f"{line.start:.2f}-{line.end:.2f}"
        rows.append([line.id, who, time, ranges(line.tokens), ranges(line.frames), aligned])
    yield from _table(["id", "speaker", "time s", "tokens", "F(u)", "aligned to"], rows)


def _boxes(inspection: Inspection) -> Iterable[str]:
    if inspection.grid is None:
        return
    yield "Boxes: where each speaker is in each frame, pixels; the share that the model sees; the tokens covered"
    rows = [
        [called(inspection, box.speaker), box.frame, _corners(box.box), f"{box.seen:.0%}", _covered(box.tokens)]
        for box in inspection.boxes
    ]
    yield from _table(["speaker", "frame", "left, top, right, bottom", "seen", "tokens"], rows)
    with_box = {box.speaker for box in inspection.boxes}
    for speaker in inspection.labels:
        if speaker not in with_box:
            yield f"  {called(inspection, speaker)} has no box near any frame"
    yield from unseen_lines(inspection)


def unseen_lines(inspection: Inspection) -> Iterator[str]:
    """A line for each box that covers no token."""
    for box in inspection.unseen:
        yield (
            f"  {called(inspection, box.speaker)} in frame {box.frame}: the box covers NO token "
            f"(the model sees {box.seen:.0%} of it)"
        )


def _biases(inspection: Inspection) -> Iterable[str]:
    if inspection.plan is None:
        return
    if not inspection.steered:
        yield "Biases: none, no visual token shows whom a word is about"
        return
    yield "Biases: the score of each token and visual token changes by the weight times the bias of --bias"
    rows = (
        [one.part, ranges(one.tokens), f"{one.weight:+g}", len(one.columns), people_shown(inspection, one.columns)]
        for one in inspection.steered
    )
    yield from _table(["part", "tokens", "weight", "visual tokens", "which show all of"], rows)


def people_shown(inspection: Inspection, columns: Sequence[int]) -> str:
    """The speakers of whom `columns` hold every token of some box: "Speaker 2 in frames 3-4, Speaker 3 in frame 3"."""
    tokens, frames = set(columns), dict[str, list[int]]()
    for box in inspection.boxes:
        if box.tokens and tokens.issuperset(box.tokens):
            frames.setdefault(box.speaker, []).append(box.frame)
    shown = [f"{called(inspection, speaker)} in {frames_named(found)}" for speaker, found in frames.items()]
    return ", ".join(shown) or "nobody"


def steering_named(steering: Steering) -> str:
    """A steering mode with its balance, if that has an effect: "both-ways, balance 0.5"."""
    return steering.mode.name + (f", balance {steering.balance:g}" if steering.mode.balances else "")


def regions_named(regions: Regions) -> str:
    """Where regions come from, with the share of those of the model: "model, share 0.5"."""
    return regions.source + (f", share {regions.share:g}" if regions.share is not None else "")


def _regions(inspection: Inspection) -> Iterable[str]:
    if not inspection.steering.regions.by_model or inspection.grid is None:
        return
    yield "Regions: where the words of each speaker look, and how that agrees with the speaker's box"
    if not inspection.regions:
        yield "  none: no head is active, or nobody is known to speak"
        return
    rows = [
        [called(inspection, one.speaker), one.step, _covered(one.tokens), *_agreeing(one)] for one in inspection.regions
    ]
    yield from _table(["speaker", "step", "tokens", "attention in the box", "IoU", "most attended cell"], rows)


def _agreeing(region: InspectedRegion) -> tuple[str, str, str]:
    found = region.agreement
    if found is None:
        return "no box", "", ""
    inside = f"{found.inside:.0%} (the box is {found.area:.0%} of the cells)"
    return inside, f"{found.iou:.2f}", "in the box" if found.pointing else "elsewhere"


def _summary(inspection: Inspection) -> Iterable[str]:
    plan = inspection.plan
    if plan is None:
        yield "Plan: nothing to align to without video"
        return
    yield coverage_line(inspection.coverage).replace("coverage", "Coverage", 1)
    rows, columns = counted(plan.rows.size, "text token"), counted(plan.columns.size, "visual token")
    pairs = counted(int(plan.pairs.sum()), "aligned pair")
    yield f"Plan: {rows} (rows), {columns} (columns), {pairs}; boxes that cover no token: {len(inspection.unseen)}"


def _covered(tokens: Sequence[int]) -> str:
    return f"{len(tokens)}: {ranges(tokens)}" if tokens else "NONE"


def _corners(box: Rectangle) -> str:
    return ", ".join(f"{edge:.1f}" for edge in box)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
