"""Which model, with which weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from socialcli.settings.fields import check_settings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """The model and its weights."""

    name: str = field(
        metadata=setting(
            key="model", metavar="NAME", names="models", help="Name of the model; `socialcli models` lists them."
        )
    )
    checkpoint: str | None = field(  # None: the hub id that the model's adapter names
        default=None,
        metadata=setting(
            metavar="DIR|ID", otherwise="the model's own", help="Weights: a folder, or an id on the Hugging Face hub."
        ),
    )
    revision: str | None = field(
        default=None,
        metadata=setting(
            metavar="REV", otherwise="its main branch", help="Branch, tag or commit of a checkpoint on the hub."
        ),
    )
    allow_links: bool = field(  # a link in a checkpoint from elsewhere could open any file
        default=False,
        metadata=setting(
            free=True,
            help="Follow symbolic links out of the checkpoint's folder, for example to weights on another disk.",
        ),
    )
    lora: str | None = field(
        default=None,
        metadata=setting(
            key="adapter", is_path=True, metavar="DIR", help="Folder of a LoRA adapter, in peft's format, to apply."
        ),
    )
    merge: bool = field(  # unmerged, the adapter's numbers stay in float32
        default=False,
        metadata=setting(
            help="Merge --adapter into the weights, in the format of --dtype, instead of applying it in float32."
        ),
    )

    def __post_init__(self) -> None:
        """Check what can be checked without the model."""
        check_settings(self)
