"""`socialcli synth`: its options, what it prints, and a folder that the other commands take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from socialcli.cli import main
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode

SMALL = ("--size", "96x96", "--frames", "8", "--episodes", "4", "--workers", "1")


def synth(output: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["synth", "-o", str(output), *options])


def made(output: Path) -> list[Episode]:
    return [row.episode for row in read_episodes(output / "episodes.parquet") if row.episode is not None]


def test_validate_passes_on_what_it_leaves(tmp_path: Path) -> None:
    assert synth(tmp_path, *SMALL, "--people", "3-5", "--distractors", "2", "--box-jitter", "4").exit_code == 0
    words = ["validate", str(tmp_path / "episodes.parquet"), "--media-root", str(tmp_path)]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout.count("no problem")) == (0, 1)


def test_a_table_of_the_splits_is_printed(tmp_path: Path) -> None:
    result = synth(tmp_path, *SMALL, "--splits", "learn=0.5,check=0.5")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["split", "episodes", "videoqa", "target", "coref", "mentioned"]
    assert [line[0] for line in lines[1:]] == ["learn", "check"]
    assert sum(int(line[1]) for line in lines[1:]) == 4
    assert sum(int(line[2]) for line in lines[1:]) == 16
    assert f"the episodes are in {tmp_path / 'episodes.parquet'}" in result.stderr


def test_json_is_one_object(tmp_path: Path) -> None:
    result = synth(tmp_path, *SMALL, "--json", "-q")
    summary = json.loads(result.stdout)
    assert summary["output"] == str(tmp_path)
    assert [row["split"] for row in summary["splits"]] == ["train", "validation", "test"]
    assert sum(row["episodes"] for row in summary["splits"]) == 4


def test_options_reach_the_world(tmp_path: Path) -> None:
    options = ("--size", "160x90", "--frames", "12", "--fps", "3", "--people", "3", "--turns", "2", "--seed", "9")
    assert synth(tmp_path, *options, "--episodes", "1", "--missing-boxes", "1").exit_code == 0
    (episode,) = made(tmp_path)
    assert episode.episode_id == "synth-9-000000"
    assert (episode.video.width, episode.video.height) == (160, 90)
    assert len(episode.speakers) == 3 and len(episode.utterances) == 6
    assert episode.utterances[-1].start == pytest.approx(10 / 3, abs=1e-5)
    assert episode.boxes == ()


def test_settings_come_from_the_file_and_the_environment(tmp_path: Path) -> None:
    settings = tmp_path / "world.toml"
    settings.write_text('[synth]\nepisodes = 2\npeople = "3"\nsize = "96x96"\n', encoding="utf-8")
    words = ["synth", "-o", str(tmp_path / "out"), "--config", str(settings)]
    result = CliRunner().invoke(main, words, env={"SOCIALCLI_SYNTH_EPISODES": "1"})
    assert result.exit_code == 0, result.stderr
    (episode,) = made(tmp_path / "out")
    assert len(episode.speakers) == 3


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--people", "1", "not a number from 2 to 8"),
        ("--people", "5-3", "nor a range such as 3-5"),
        ("--people", "many", "not a number from 2 to 8"),
        ("--size", "100", "is not WIDTHxHEIGHT"),
        ("--size", "101x100", "even numbers of pixels"),
        ("--splits", "train", "is not a list of names with shares"),
        ("--splits", "train=0.5,train=0.5", "is not a list of names with shares"),
        ("--splits", "train=0.5,test=0.4", "add up to 1"),
        ("--splits", "train=1.5,test=-0.5", "must be above 0"),
        ("--missing-boxes", "1.5", "not in the range"),
        ("--frames", "3", "4 utterances need a frame each"),
    ],
)
def test_an_impossible_value_is_a_usage_error(tmp_path: Path, option: str, value: str, message: str) -> None:
    result = synth(tmp_path / "out", "--episodes", "1", option, value)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_with_episodes_is_refused_without_overwrite(tmp_path: Path) -> None:
    assert synth(tmp_path, *SMALL).exit_code == 0
    refused = synth(tmp_path, *SMALL, "--seed", "1")
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr
    assert synth(tmp_path, *SMALL, "--seed", "1", "--overwrite").exit_code == 0
    assert made(tmp_path)[0].episode_id == "synth-1-000000"


def test_a_world_that_speaks_has_defaults_of_its_own_and_passes_validate(tmp_path: Path) -> None:
    options = ("--audio", "--shots", "3", "--episodes", "1", "--people", "2", "--turns", "1", "--fps", "12")
    assert synth(tmp_path, *options).exit_code == 0
    (episode,) = made(tmp_path)
    assert (episode.video.width, episode.video.height) == (672, 672)
    assert len(episode.utterances) == 2 and len({box.time for box in episode.boxes}) > 30
    words = ["validate", str(tmp_path / "episodes.parquet"), "--media-root", str(tmp_path)]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert len(list((tmp_path / "transcripts").iterdir())) == 1 and len(list((tmp_path / "truth").iterdir())) == 2
