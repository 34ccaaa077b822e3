"""The members of a generated adapter, each as lines of source; what they are made from is in `facts`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import wrap

from socialcli.verbs.plugin.new.facts import Facts, Fit, FrameInput, SquareGrid, ThwGrid, Todo, TokenTypes, UnknownGrid

Lines = list[str]

_WIDTH = 116  # characters in a line, less the indent of a class
_TEXT_WIDTH = 80  # of a piece of a message

_STEP_PER_FRAME = "tuple((index,) for index in range(len(frames.frames)))"
_GRID = (
    "def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:"
)
_CELL_TOKENS = (
    "def cell_tokens(",
    "    self, inputs: Mapping[str, Tensor], frames: FrameSet, shape: tuple[int, int, int], count: int",
    ") -> npt.NDArray[np.int64]:",
)
_SIGNATURES: dict[str, tuple[str, ...]] = {
    "grid_shape": (_GRID,),
    "cell_tokens": _CELL_TOKENS,
    "decoder_layers": ("@property", "def decoder_layers(self) -> Sequence[Any]:"),
    "layers": ("@property", "def layers(self) -> Sequence[Any]:"),
    "positions": ("def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Tensor:",),
    "token_inputs": (
        "def token_inputs(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Mapping[str, Tensor]:",
    ),
}


def members(facts: Facts) -> Iterator[Lines]:
    """The methods of the adapter, in the order of the base class."""
    if facts.frame_input.placeholder is not None:
        yield _placeholder(facts.frame_input.placeholder)
    yield _visual_token_id(facts.visual_token_id)
    yield _prepare_frames(facts.frame_input)
    yield from _grid(facts)
    if facts.cells.kept is not None:
        yield _kept_cells(facts.cells.kept)
    if facts.decoder.layers is not None:
        yield _decoder_layers(facts.decoder.layers)
    if facts.decoder.attention not in (None, "self_attn"):
        yield _layers(str(facts.decoder.attention))
    if facts.positions is not None:
        yield _positions(facts)
    if facts.token_inputs:
        yield _token_inputs(facts.token_inputs)
    for todo in facts.todos:
        yield _left_open(todo)


def _placeholder(expression: str) -> Lines:
    return [
        "@property",
        "def placeholder(self) -> str:",
        '    """The text that the chat template writes where the frames belong."""',
        f"    return str({expression})" if expression.startswith("self.") else f"    return {expression}",
    ]


def _visual_token_id(expression: str) -> Lines:
    return [
        "@property",
        "def visual_token_id(self) -> int:",
        '    """The id of a visual token among the prompt\'s ids."""',
        f"    return int({expression})",
    ]


def _prepare_frames(frame_input: FrameInput) -> Lines:
    signature = "def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:"
    what = "times" if frame_input.takes_times else "rate"
    said = f" and their {what}, which the prompt depends on" if frame_input.metadata else ""
    lines = [signature, f'    """The frames as they are{said}."""']
    pixels = "np.stack([frame.image for frame in frames.frames])"
    if frame_input.fewest > 1:
        lines += [
            "    indices = list(range(len(frames.frames)))",
            f"    indices += indices[-1:] * ({frame_input.fewest} - len(indices))  # the processor refuses fewer",
        ]
        pixels = "np.stack([frames.frames[index].image for index in indices])"
    if not frame_input.metadata:
        return [*lines, f"    return {pixels}, {{}}"]
    return [*lines, *_metadata(frame_input), f'    return {pixels}, {{"video_metadata": [metadata]}}']


def _metadata(frame_input: FrameInput) -> Lines:
    """What the processor has to know of the frames' times, as `metadata`."""
    repeats = frame_input.fewest > 1
    if frame_input.takes_times:
        times = "[frames.times[index] for index in indices]" if repeats else "frames.times"
        duration = ", duration=len(frames.times) / frames.fps" if "duration" in frame_input.metadata else ""
        return [f"    metadata = times_from_first({times}{duration})"]
    lines = [] if repeats else ["    count = len(frames.frames)"]
    count, indices = ("len(indices)", "indices") if repeats else ("count", "list(range(count))")
    values = {"fps": "frames.fps", "frames_indices": indices, "duration": f"{count} / frames.fps"}
    given = ", ".join([f"total_num_frames={count}", *(f"{name}={values[name]}" for name in frame_input.metadata)])
    line = f"    metadata = VideoMetadata({given})"
    wrapped = ["    metadata = VideoMetadata(", f"        {given}", "    )"]
    return [*lines, *([line] if len(line) <= _WIDTH else wrapped)]


def _grid(facts: Facts) -> Iterator[Lines]:
    if isinstance(facts.grid, ThwGrid):
        yield _thw_grid(facts.grid, facts.frame_input.fewest)
    elif isinstance(facts.grid, SquareGrid):
        yield _square_grid(facts.grid, facts.frame_input.fewest)
    else:
        assert isinstance(facts.grid, UnknownGrid)  # its Todo is written with the others


def _thw_grid(grid: ThwGrid, fewest: int) -> Lines:
    source = f'inputs["{grid.output}"]'
    lines = [_GRID, '    """The processor\'s own grid; its cells divide the whole frame evenly."""']
    if grid.per_frame:
        lines += [f"    rows, columns = (int(size) for size in {source}[0, 1:])", f"    steps = len({source})"]
    else:
        lines += [f"    steps, rows, columns = (int(size) for size in {source}[0])"]
    if grid.merge is not None:
        lines += [f"    merge = int({grid.merge})", "    rows, columns = rows // merge, columns // merge"]
    cells = "affine_cells(rows, columns, (0.0, 0.0), (frames.width / columns, frames.height / rows))"
    lines += [f"    cells = {cells}"]
    if grid.frames_per_step is None:
        last = "step" if fewest == 1 else "min(step, len(frames.frames) - 1)"
        return [*lines, f"    return tuple(({last},) for step in range(steps)), cells"]
    return [
        *lines,
        f"    merged, indices = int({grid.frames_per_step}), range(len(frames.frames))",
        "    return tuple(tuple(indices[step * merged : (step + 1) * merged]) for step in range(steps)), cells",
    ]


def _square_grid(grid: SquareGrid, fewest: int) -> Lines:
    lines = [_GRID, f'    """One step per frame; the same square of cells in each frame, {grid.fit.value}."""']
    note = "  # cells along a side, as counted on one checkpoint" if grid.side.isdigit() else ""
    lines += [f"    count = {grid.side}{note}"]
    if grid.fit is Fit.SQUASHED:
        width, height, corner = "frames.width", "frames.height", "(0.0, 0.0)"
    else:
        chosen = "min" if grid.fit is Fit.CROPPED else "max"
        width = height = "side"
        lines += [f"    side = {chosen}(frames.width, frames.height)"]
        lines += ["    corner = (frames.width - side) / 2, (frames.height - side) / 2"]
        corner = "corner"
    share = ""
    if grid.patch is not None:
        share = " * seen"
        lines += [
            f'    size, patch = int(inputs["{grid.pixels}"].shape[-1]), int({grid.patch})',
            "    seen = size // patch * patch / size  # the rest of a side is too narrow for a patch",
        ]
    lines += [
        f"    cell = {width}{share} / count, {height}{share} / count",
        f"    cells = affine_cells(count, count, {corner}, cell)",
    ]
    if fewest == 1:
        return [*lines, f"    return {_STEP_PER_FRAME}, cells"]
    return [
        *lines,
        f"    steps = range(max({fewest}, len(frames.frames)))",
        "    return tuple((min(step, len(frames.frames) - 1),) for step in steps), cells",
    ]


def _kept_cells(output: str) -> Lines:
    return [
        *_CELL_TOKENS,
        '    """The n-th visual token shows the n-th cell that the processor keeps; the others have none: -1."""',
        f'    kept = inputs["{output}"].cpu().numpy().astype(bool).reshape(shape)',
        "    return np.where(kept, kept.ravel().cumsum().reshape(shape) - 1, -1)",
    ]


def _decoder_layers(expression: str) -> Lines:
    return [
        *_SIGNATURES["decoder_layers"],
        '    """The layers of the text decoder, in order."""',
        f"    return list({expression})",
    ]


def _layers(attribute: str) -> Lines:
    return [
        *_SIGNATURES["layers"],
        '    """The attention of each decoder layer; None where it has no softmax."""',
        f'    return [getattr(layer, "{attribute}", None) for layer in self.decoder_layers]',
    ]


def _positions(facts: Facts) -> Lines:
    rule = facts.positions
    assert rule is not None
    arguments = ["input_ids=ids"]
    if rule.types is not None:
        arguments += [f"{rule.types.name}=(ids == self.visual_token_id).int() * {rule.types.value}"]
    arguments += [f'{name}=clip.inputs["{name}"].cpu()' for name in rule.inputs]
    return [
        *_SIGNATURES["positions"],
        f'    """The model\'s own position ids, ({rule.axes}, 1, length)."""',
        "    if clip is None:",
        f"        return super().positions(prompt, clip).expand({rule.axes}, 1, -1)",
        "    ids = torch.from_numpy(prompt.ids).unsqueeze(0)",
        "    positions: Tensor = self.model.model.get_rope_index(",
        *(f"        {argument}," for argument in (*arguments, "attention_mask=torch.ones_like(ids)")),
        "    )[0]",
        "    return positions.to(self.device)",
    ]


def _token_inputs(inputs: tuple[TokenTypes, ...]) -> Lines:
    entries = ", ".join(f'"{one.name}": {"visual" if one.value == 1 else f"visual * {one.value}"}' for one in inputs)
    values = " and ".join(dict.fromkeys(str(one.value) for one in inputs))
    return [
        *_SIGNATURES["token_inputs"],
        f'    """The types of the tokens: {values} at visual ones, 0 elsewhere."""',
        "    visual = torch.from_numpy(prompt.ids == self.visual_token_id).long().unsqueeze(0).to(self.device)",
        f"    return {{{entries}}}",
    ]


def _left_open(todo: Todo) -> Lines:
    return [*_SIGNATURES[todo.member], '    """Left to write."""', *_raise(todo.what)]


def _raise(what: str) -> Lines:
    whole = f"    raise NotImplementedError({_quoted(what)})"
    if len(whole) <= _WIDTH:
        return [whole]
    short = len(_quoted(what)) + 8 <= _WIDTH
    pieces = [what] if short else wrap(what, _TEXT_WIDTH, drop_whitespace=False)
    return ["    raise NotImplementedError(", *(f"        {_quoted(piece)}" for piece in pieces), "    )"]


def _quoted(text: str) -> str:
    """A string literal of Python, in the quotes that need fewer escapes, double ones if both do."""
    escaped = json.dumps(text, ensure_ascii=False)
    if '"' not in text or "'" in text:
        return escaped
    return "'" + escaped[1:-1].replace('\\"', '"') + "'"
