"""What the chat template writes for frames: whether it takes a video or images, and the text that stands for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from socialcli.errors import CheckpointError

QUESTION = "Who speaks last?"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A processor's chat template on one question, with the frames as a "video" or as "image" entries."""

    processor: Any
    kind: str  # the type of the entries: "video" or "image"
    placeholder: str  # what stands for the video, or for one image

    @property
    def as_images(self) -> bool:
        """Whether each frame is an entry of its own."""
        return self.kind == "image"

    def render(self, frames: int) -> str:
        """The conversation about `frames` frames, placeholders not expanded; 0: without any."""
        entries = frames if self.as_images else min(frames, 1)
        return _render(self.processor, self.kind, entries)

    @property
    def source(self) -> str | None:
        """The expression of the placeholder; None where it is the one that the base class takes."""
        if getattr(self.processor, f"{self.kind}_token", None) == self.placeholder:
            return None
        for owner, path in ((self.processor, "self.processor"), (self.processor.tokenizer, "self.processor.tokenizer")):
            for name, value in sorted(vars(owner).items()):
                if value == self.placeholder and not name.startswith("_"):
                    return f"{path}.{name}"
        return repr(self.placeholder)


def read_conversation(processor: Any, what: str) -> Conversation:
    """How the processor's chat template shows frames; a video is preferred to images.

    Raises CheckpointError where there is no template, or where it takes neither.
    """
    if not getattr(processor, "chat_template", None):
        raise CheckpointError(
            f"{what} has no chat template (chat_template.jinja or chat_template.json), by which prompts are written; "
            "copy the file from the checkpoint that it was made from, or fetch it again"
        )
    for kind in ("video", "image"):
        if getattr(processor, f"{kind}_processor", None) is None:
            continue
        if written := _inserted(processor, kind):
            return Conversation(processor, kind, _placeholder(processor, kind, written))
    raise CheckpointError(
        f"{what}: its chat template writes nothing for a video or an image in a message; an adapter needs one that does"
    )


def _inserted(processor: Any, kind: str) -> str:
    """What the template writes for one entry of this kind; "" for nothing."""
    try:
        with_one, without = _render(processor, kind, 1), _render(processor, kind, 0)
    except Exception:  # templates raise whatever they like for an entry that they do not know
        return ""
    start = _shared(with_one, without)
    end = min(_shared(with_one[::-1], without[::-1]), len(without) - start)
    return with_one[start : len(with_one) - end]


def _placeholder(processor: Any, kind: str, written: str) -> str:
    """The part of `written` that the processor replaces by visual tokens."""
    tokens = dict.fromkeys(
        str(token)
        for owner in (processor, processor.tokenizer)
        for name in (f"{kind}_token", *_token_names(owner))
        if (token := getattr(owner, name, None)) is not None
    )
    return next((token for token in tokens if token and token in written), written.strip())


def _token_names(owner: Any) -> Iterator[str]:
    return (name for name, value in sorted(vars(owner).items()) if isinstance(value, str) and name.endswith("_token"))


def _render(processor: Any, kind: str, entries: int) -> str:
    content = [*({"type": kind} for _ in range(entries)), {"type": "text", "text": QUESTION}]
    message = {"role": "user", "content": content}
    rendered: str = processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
    return rendered


def _shared(one: str, other: str) -> int:
    """The length of the common beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
