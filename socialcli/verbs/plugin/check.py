"""`socialcli plugin check`: the conformance suite on an installed model and a checkpoint of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from socialcli.conformance.checks import CHECKS, Finding
from socialcli.errors import TooManyFailuresError
from socialcli.models.contract import LoadOptions, ModelSpec
from socialcli.options import completion
from socialcli.options.from_settings import setting_options
from socialcli.options.listing import json_option, print_json, print_table
from socialcli.options.verbosity import logging_options
from socialcli.plugins.registry import registry
from socialcli.settings.run import run_settings

_log = logging.getLogger(__name__)

_LOADING = ("checkpoint", "revision", "allow_links", "frame_fit", "positions", "max_pixels", "device")  # keys


class _ListingChecks(click.Command):
    """A command whose help ends with the list of checks."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of checks."""
        with formatter.section("Checks"):
            formatter.write_dl([(one.name, one.proves) for one in CHECKS])


@click.command(name="check", cls=_ListingChecks, short_help="Check that a model's adapter is right.")
@click.argument("model", shell_complete=completion.models)
@setting_options(one for key in _LOADING for one in run_settings() if one.key == key)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([one.name for one in CHECKS]),
    metavar="CHECK",
    help="Run only this check. May be repeated.",
)
@json_option
@logging_options
def check(model: str, only: tuple[str, ...], json: bool, **options: Any) -> None:
    """Check the adapter of MODEL, built-in or from a plug-in, on a checkpoint.

    The frames are noise, so that nothing but the checkpoint is read. The model runs in float32: a tiny checkpoint takes
    half a minute, a published one as much memory as the log says. Exits with 3 if a check fails.
    """
    spec = registry().model(model).item
    checkpoint = options.pop("checkpoint") or spec.default_checkpoint
    source = LoadOptions(checkpoint, dtype="float32", other_models=registry().other_models(model), **options)
    found = _findings(spec, source, only)
    if json:
        print_json([asdict(one) for one in found])
    else:
        print_table(
            ("CHECK", "CASE", "STATUS", "DETAIL"), [(one.check, one.case, one.status, one.detail) for one in found]
        )
    count = Counter(one.status for one in found)
    _log.info("%d passed, %d failed, %d skipped", count["passed"], count["failed"], count["skipped"])
    if count["failed"]:
        raise TooManyFailuresError(f"{model} fails {count['failed']} of {len(found)} cases; the last column says how")


def _findings(spec: ModelSpec, source: LoadOptions, only: Sequence[str]) -> list[Finding]:
    from socialcli.conformance.storage import float32_bytes  # this and the next import torch
    from socialcli.conformance.suite import findings

    weights = float32_bytes(spec.load_checked(replace(source, weights=False)).model) / 1e9
    _log.info("the weights take %.1f GB in float32; save-load and lora hold them twice", weights)
    return list(findings(spec.load_checked(source), source, only))
