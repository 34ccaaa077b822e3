"""`socialcli plugins`: the installed plug-ins, what they provide, and their problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from socialcli.options.listing import json_option, print_json, print_table
from socialcli.plugins.registry import PluginReport, registry


@click.command(name="plugins")
@json_option
def command(json: bool) -> None:
    """List the installed plug-ins, broken ones too.

    Below the table are the packages and licences of detectors, trackers, voice analysers and active speaker detectors,
    the problems of broken plug-ins, and every name that two plug-ins claim.
    """
    reports = registry().reports()
    if json:
        print_json([_record(report) for report in reports])
        return
    print_table(
        ("PLUGIN", "FROM", "STATUS", "PROVIDES"),
        [
            (
                report.origin.entry_point,
                f"{report.origin.distribution} {report.origin.version}",
                _status(report),
                "; ".join(f"{kind}: {', '.join(names)}" for kind, names in report.provides.items()),
            )
            for report in reports
        ],
    )
    _print_sources(reports)
    for report in reports:
        for problem in report.problems:
            click.echo(f"\n{report.origin}: {problem}")


def _print_sources(reports: Sequence[PluginReport]) -> None:
    rows = [
        (part, source.package or "", source.licence, source.weights or "")
        for report in reports
        for part, source in report.sources.items()
    ]
    if rows:
        click.echo()
        print_table(("PART", "NEEDS", "LICENCE", "WEIGHTS"), rows)


def _status(report: PluginReport) -> str:
    return "broken" if report.problems else "ok"


def _record(report: PluginReport) -> dict[str, object]:
    return {
        "plugin": report.origin.entry_point,
        "distribution": report.origin.distribution,
        "distribution_version": report.origin.version,
        "status": _status(report),
        "provides": report.provides,
        "sources": {part: asdict(source) for part, source in report.sources.items()},
        "problems": report.problems,
    }
