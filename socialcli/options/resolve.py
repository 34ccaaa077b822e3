"""Values of options that depend on each other, where some are left out (None)."""

from __future__ import annotations

from socialcli.errors import UsageError


def resolve_inputs(inputs: str | None, boxes_as: str | None) -> tuple[str, str]:
    """The values of `--inputs` and `--boxes-as` together.

    Showing boxes makes the inputs VLB, and VLB shows boxes as text by default. Raises UsageError if the two contradict
    each other.
    """
    if inputs is None:
        inputs = "VL" if boxes_as in (None, "none") else "VLB"
    if boxes_as is None:
        boxes_as = "text" if inputs == "VLB" else "none"
    if inputs == "VLB" and boxes_as == "none":
        raise UsageError(
            "--inputs VLB shows the model the boxes, and --boxes-as none hides them; leave one of them out"
        )
    if inputs != "VLB" and boxes_as != "none":
        raise UsageError(
            f"--boxes-as {boxes_as} makes the inputs VLB, and --inputs says {inputs}; leave one of them out"
        )
    return inputs, boxes_as


def resolve_alignment(alignment: str | None, inputs: str) -> str:
    """The value of `--alignment`: by default on, or off without a video to align words to.

    Raises UsageError for alignment without a video.
    """
    if alignment is None:
        return "off" if inputs == "L" else "on"
    if inputs == "L" and alignment != "off":
        raise UsageError(f"--alignment {alignment} needs the video, and --inputs L leaves it out; use --inputs VL")
    return alignment
