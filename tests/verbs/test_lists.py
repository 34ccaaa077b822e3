from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from socialcli.cli import main

from ..distributions import Install, site_folder

MODEL = """
from socialcli.models.contract import ModelSpec
from socialcli.plugins.hookspecs import hookimpl

@hookimpl
def socialcli_models():
    return [ModelSpec("acme", "sees everything", "acme/eye-7b", print, "3", ("pad", "crop"))]
"""

CONVERTER = """
import click
from socialcli.plugins.hookspecs import Converter, hookimpl

@click.command()
@click.argument("source")
def subtitles(source):
    click.echo(f"converting {source}")

@hookimpl
def socialcli_converters():
    return [Converter("subtitles", "from .srt files", subtitles)]
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    with site_folder(tmp_path / "site", monkeypatch) as install:
        yield install


def socialcli(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def columns(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in table.splitlines()]


def test_models_lists_name_summary_checkpoint_and_origin(distribution: Install) -> None:
    distribution("acme-vision", MODEL, version="2.5")
    header, *rows = columns(socialcli("models"))
    assert header == ["MODEL", "SUMMARY", "DEFAULT CHECKPOINT", "FROM"]
    assert ["acme", "sees everything", "acme/eye-7b", "acme-vision 2.5"] in rows


def test_models_as_json(distribution: Install) -> None:
    distribution("acme-vision", MODEL, version="2.5", entry_point="vision")
    (model,) = [one for one in json.loads(socialcli("models", "--json")) if one["name"] == "acme"]
    assert model == {
        "name": "acme",
        "summary": "sees everything",
        "default_checkpoint": "acme/eye-7b",
        "frame_fits": ["pad", "crop"],
        "position_rules": [],
        "max_pixels": None,
        "adapter_version": "3",
        "distribution": "acme-vision",
        "distribution_version": "2.5",
        "plugin": "vision",
    }


def test_the_columns_of_a_table_stand_below_each_other(distribution: Install) -> None:
    distribution("acme-vision", MODEL)
    lines = socialcli("models").splitlines()
    row = next(line for line in lines if line.startswith("acme "))
    assert row.index("sees everything") == lines[0].index("SUMMARY")
    assert row.index("acme-vision") == lines[0].index("FROM")


def test_tasks_lists_the_four_tasks_of_socialcli() -> None:
    listed = json.loads(socialcli("tasks", "--json"))
    names = [task["name"] for task in listed if task["plugin"] == "builtin"]
    assert names == ["videoqa", "target", "coref", "mentioned"]
    assert [row[0] for row in columns(socialcli("tasks"))[1:5]] == names


def test_plugins_lists_what_works_and_what_does_not_with_the_reason(distribution: Install) -> None:
    distribution("acme-vision", MODEL, version="2.5")
    distribution("acme-broken", "1 / 0", version="0.1", entry_point="cracked")
    text = socialcli("plugins")
    assert ["main", "acme-vision 2.5", "ok", "model: acme"] in columns(text)
    assert ["cracked", "acme-broken 0.1", "broken"] in columns(text)
    assert text.endswith("acme-broken 0.1 (entry point 'cracked'): ZeroDivisionError: division by zero\n")


def test_plugins_as_json(distribution: Install) -> None:
    distribution("acme-broken", "1 / 0", version="0.1", entry_point="cracked")
    (broken,) = [one for one in json.loads(socialcli("plugins", "--json")) if one["status"] == "broken"]
    assert broken == {
        "plugin": "cracked",
        "distribution": "acme-broken",
        "distribution_version": "0.1",
        "status": "broken",
        "provides": {},
        "sources": {},
        "problems": ["ZeroDivisionError: division by zero"],
    }


DETECTOR = """
from socialcli.perception.contract import DetectorSpec, Source
from socialcli.plugins.hookspecs import hookimpl

SOURCE = Source(package="acme-eyes", licence="MIT", weights="acme.example, CC-BY-4.0")

@hookimpl
def socialcli_detectors():
    return [DetectorSpec(name="hats", summary="hats", finds="person", source=SOURCE, load=print)]
"""


def test_plugins_names_the_licences_of_code_and_weights(distribution: Install) -> None:
    distribution("acme-hats", DETECTOR, version="1.5")
    text = socialcli("plugins")
    assert ["PART", "NEEDS", "LICENCE", "WEIGHTS"] in columns(text)
    assert ["detector hats", "acme-eyes", "MIT", "acme.example, CC-BY-4.0"] in columns(text)
    assert ["tracker overlap", "Apache-2.0"] in columns(text)
    (report,) = [one for one in json.loads(socialcli("plugins", "--json")) if one["distribution"] == "acme-hats"]
    assert report["sources"] == {
        "detector hats": {"package": "acme-eyes", "licence": "MIT", "weights": "acme.example, CC-BY-4.0"}
    }


def test_plugins_shows_a_clash_that_makes_models_fail(distribution: Install) -> None:
    distribution("acme-one", MODEL)
    distribution("acme-two", MODEL)
    result = CliRunner().invoke(main, ["models"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "acme-one 1.0" in result.stderr and "acme-two 1.0" in result.stderr
    assert socialcli("plugins").count("the model 'acme' is provided by") == 2


def test_convert_runs_a_plugins_converter(distribution: Install) -> None:
    distribution("acme-subtitles", CONVERTER)
    assert ["subtitles", "from", ".srt", "files"] in [
        line.split() for line in socialcli("convert", "--help").splitlines()
    ]
    assert socialcli("convert", "subtitles", "a.srt") == "converting a.srt\n"


def test_an_unknown_converter_suggests_the_nearest(distribution: Install) -> None:
    distribution("acme-subtitles", CONVERTER)
    result = CliRunner().invoke(main, ["convert", "subtitels"])
    assert result.exit_code == 2
    assert "there is no converter 'subtitels'. Did you mean 'subtitles'?" in result.stderr
