"""`socialcli run` on a night when something is not there: no answer of the nights before is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..again import FILES, ask, changed
from ..runs import record, write


def hidden(video: Path) -> Path:
    """Take a video away, as a share does that is not mounted; where it is now."""
    return video.rename(video.with_suffix(".away"))


def test_answers_to_what_fails_for_a_night_are_not_lost(episodes: Path) -> None:
    before = ask(episodes).rows
    away = hidden(episodes.parent / record(1)["video"]["path"])
    theirs = [row["question_id"] for row in before if row["episode_id"] == record(1)["episode_id"]]
    for _ in range(2):
        night = ask(episodes).validated()
        assert night.code == 3
        assert [row["question_id"] for row in night.rows if row["status"] == "failed"] == theirs
        assert sorted(path.name for path in night.output.iterdir()) == sorted([*FILES, "set_aside.parquet"])
    changed(episodes, lambda episode: episode.update(dataset="renamed"))  # what the other rows do not depend on
    assert ask(episodes).code == 3
    changed(episodes, lambda episode: episode.update(dataset=record(1)["dataset"]))
    away.rename(away.with_suffix(".mp4"))
    after = ask(episodes).validated()
    assert (after.code, after.manifest["counts"]["kept"]) == (0, len(before))
    assert after.rows == before
    assert sorted(path.name for path in after.output.iterdir()) == FILES


@pytest.mark.parametrize("content", ["<html>502 Bad Gateway</html>", "cut"])
def test_answers_outlive_a_night_with_a_damaged_episodes_file(episodes: Path, content: str) -> None:
    before = ask(episodes).rows
    whole = episodes.read_text(encoding="utf-8")
    episodes.write_text(whole[: len(whole) * 2 // 3] if content == "cut" else content, encoding="utf-8")
    night = ask(episodes)
    assert night.code == (3 if content == "cut" else 4)
    assert content == "cut" or night.rows == before
    episodes.write_text(whole, encoding="utf-8")
    after = ask(episodes).validated()
    assert after.manifest["counts"]["kept"] == len(before)
    assert after.rows == before
    assert sorted(path.name for path in after.output.iterdir()) == FILES


def test_answers_outlive_a_name_that_is_damaged_for_a_night(episodes: Path) -> None:
    before = ask(episodes).rows
    changed(episodes, lambda episode: episode["questions"][0].pop("id"))
    assert ask(episodes).code == 3
    write(episodes, [record(index) for index in range(3)])
    after = ask(episodes)
    assert (after.code, after.manifest["counts"]["kept"]) == (0, len(before))
    assert after.rows == before


def test_what_is_set_aside_does_not_grow_from_night_to_night(episodes: Path) -> None:
    ask(episodes)
    for night in range(3):
        lines = [{**record(index), "dataset": f"night {night}"} for index in range(3)]
        write(episodes, [*lines, "{"])
        done = ask(episodes)
        assert done.code == 3
        assert sorted(path.name for path in done.output.iterdir()) == FILES


def test_answers_set_aside_outlive_a_kill_at_the_worst_moment(episodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ask(episodes).rows
    away = hidden(episodes.parent / record(1)["video"]["path"])
    rename = Path.replace

    def killed_then(self: Path, target: Path) -> Path:
        if target.name == "set_aside.parquet":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed_then)
        broken = ask(episodes)
    assert broken.code == 130 and [row["status"] for row in broken.rows].count("failed") > 0
    away.rename(away.with_suffix(".mp4"))
    after = ask(episodes)
    assert (after.code, after.manifest["counts"]["kept"]) == (0, len(before))
    assert after.rows == before
    assert sorted(path.name for path in after.output.iterdir()) == FILES
