"""The long name of an option: its key in a settings file, and the end of its environment variable."""

from __future__ import annotations

import click


def long_name(option: click.Option) -> str:
    """The longest name of the option, without the dashes in front."""
    return max(option.opts, key=len).lstrip("-")
