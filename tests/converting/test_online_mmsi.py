"""`socialcli convert online-mmsi`, on folders as the release's own loader reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .mmsi import person, save
from .online_mmsi import DIALOGUE, film, folder
from .sources import convert, converted, one


def test_the_last_line_of_the_dialogue_is_asked_about(tmp_path: Path) -> None:
    film(tmp_path, "a.mp4")
    place = folder(tmp_path, [("a.mp4", DIALOGUE + "Whom does the last one speak to?", "Player0 is addressed.")])
    (episode,), account = converted(tmp_path / "e.jsonl", "online-mmsi", place, "--task", "STI")
    assert (episode.episode_id, episode.split, episode.dataset) == ("test/a/2", "test", "online-mmsi")
    assert episode.video.path == "data/test/a.mp4"
    # back from the end at 4 s: four words take 1.6 s, three 1.2 s
    assert [(one.speaker, one.start, one.end, one.text) for one in episode.utterances] == [
        ("Player0", 1.2, 2.4, "Who took it?"),
        ("Player2", 2.4, 4.0, "I think Speaker 1 did."),
    ]
    question = one(episode.questions)
    assert (question.task, question.utterance, question.span, question.answer) == ("target", "u2", None, "Player0")
    assert [speaker.id for speaker in episode.speakers] == ["Player0", "Player1", "Player2"]
    assert episode.boxes == () and account["skipped"] == 0


def test_a_mask_or_the_only_pronoun_is_what_is_meant(tmp_path: Path) -> None:
    rows = [
        ("a.mp4", "[Player1]: Ask Player0, I think [MASK] knows.", "Player2."),
        ("b.mp4", "[Player1]: She is here.", "Player0"),
    ]
    episodes, account = converted(tmp_path / "e.jsonl", "online-mmsi", folder(tmp_path, rows), "--task", "PCR")
    words = [episode.utterances[0].text[slice(*(episode.questions[0].span or ()))] for episode in episodes]
    assert words == ["[MASK]", "She"]
    assert episodes[0].utterances[0].text == "Ask Speaker 0, I think [MASK] knows."
    assert account["notes"]["clips whose video is missing"] == 2


@pytest.mark.parametrize(
    "line",
    ["player1：She did.", ">> [Player1]: She did.", "\u200ePLAYER1 (03：27)：She did.", "**[Player1]**: She did."],
)
def test_players_are_known_however_they_are_written(line: str, tmp_path: Path) -> None:
    place = folder(tmp_path, [("a.mp4", f"A prompt: it names Player0\n{line}", "Player0.")])
    (episode,), _ = converted(tmp_path / "e.jsonl", "online-mmsi", place, "--task", "PCR")
    assert [(one.speaker, one.text) for one in episode.utterances] == [("Player1", "She did.")]


def test_pronouns_and_mentions_are_whole_words(tmp_path: Path) -> None:
    rows = [("a.mp4", "[Player1]: 问he去哪, he\u0301! Player0's and XPlayer0", "**Player2**")]
    (episode,), _ = converted(tmp_path / "e.jsonl", "online-mmsi", folder(tmp_path, rows), "--task", "PCR")
    (line,) = episode.utterances
    assert line.text == "问he去哪, he\u0301! Speaker 0's and XPlayer0"
    assert episode.questions[0].span == (1, 3)


def test_players_can_be_said_to_be_more(tmp_path: Path) -> None:
    rows = [("a.mp4", "[Player1]: You did.", "Player0.")]
    place = folder(tmp_path, rows)
    (episode,), _ = converted(tmp_path / "e.jsonl", "online-mmsi", place, "--task", "STI", "--players", "6")
    assert len(episode.speakers) == 6


def test_keypoints_are_joined_by_the_name_of_the_clip(tmp_path: Path) -> None:
    square = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0))
    steps = [[person(0, *square)] if step in (50, 60, 71) else [] for step in range(100)]
    save(tmp_path / "keypoints" / "vid1_Game1.npy", steps)
    film(tmp_path, "vid1_Game1_10_14.mp4")
    place = folder(tmp_path, [("vid1_Game1_10_14.mp4", DIALOGUE, "Player0")])
    words = ("online-mmsi", place, "--task", "STI", "--keypoints", tmp_path / "keypoints")
    (episode,), _ = converted(tmp_path / "e.jsonl", *words)
    assert [(box.speaker, box.time) for box in episode.boxes] == [("Player0", 0.0), ("Player0", 2.0)]
    pattern = r"(?P<game>[^_]+_[^_]+)_\d+_(?P<end>\d+)"  # 14 s less the clip's 4 s
    (again,), _ = converted(tmp_path / "f.jsonl", *words, "--clip-name", pattern)
    assert again.boxes == episode.boxes
    result = convert(*words, "--clip-name", r"(?P<game>x)_(?P<start>\d)", "-o", tmp_path / "g.jsonl")
    assert result.exit_code == 4 and "metadata.csv:2:video_name: 'vid1_Game1_10_14' does not match" in result.stderr
    result = convert(*words, "--clip-name", "(?P<game>x)", "-o", tmp_path / "g.jsonl")
    assert result.exit_code == 2 and "(?P<start>...)" in result.stderr


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    place = folder(tmp_path, [("a.mp4", DIALOGUE, "Player0"), ("b.mp4", DIALOGUE, "Player1")])
    for name in ("a", "b"):
        converted(tmp_path / f"{name}.jsonl.gz", "online-mmsi", place, "--task", "STI")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_the_name_tells_the_length_where_the_video_is_not_there(tmp_path: Path) -> None:
    """No box lies after the clip's end, where the game goes on."""
    steps = [[person(0, (100.0, 50.0), (200.0, 50.0), (100.0, 250.0))] for _ in range(200)]
    save(tmp_path / "keypoints" / "vid1_Game1.npy", steps)
    place = folder(tmp_path, [("vid1_Game1_10_14.mp4", DIALOGUE, "Player0")])
    words = ("online-mmsi", place, "--task", "STI", "--keypoints", tmp_path / "keypoints")
    (episode,), _ = converted(tmp_path / "e.jsonl", *words)
    assert [box.time for box in episode.boxes] == [step / 5 for step in range(21)]
    assert episode.utterances[-1].end == 4.0
    (episode,), account = converted(tmp_path / "f.jsonl", *words, "--clip-name", r"(?P<game>.+)_(?P<start>\d+)_\d+")
    assert episode.boxes == ()
    assert account["notes"]["clips without boxes because neither their name nor their video gives their length"] == 1


def test_utterances_share_a_clip_that_is_too_short(tmp_path: Path) -> None:
    film(tmp_path, "a.mp4", seconds=2)
    lines = "".join(f"[Player{number % 2}]: one two three four five\n" for number in range(4))  # 2 s each
    place = folder(tmp_path, [("a.mp4", lines, "Player0")])
    (episode,), _ = converted(tmp_path / "e.jsonl", "online-mmsi", place, "--task", "STI")
    assert [(item.start, item.end) for item in episode.utterances] == [(0, 0.5), (0.5, 1), (1, 1.5), (1.5, 2)]


def test_without_keypoints_it_is_said_that_nothing_can_be_aligned(tmp_path: Path) -> None:
    place = folder(tmp_path, [("a.mp4", DIALOGUE, "Player0")])
    result = convert("online-mmsi", place, "--task", "STI", "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 0 and "nothing can be aligned; add MMSI's keypoints" in result.stderr


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (("b.mp4", "nobody speaks", "Player0"), "user: has no line of a dialogue"),
        (("b.mp4", "[Player1]: You", "The second"), "assistant: is 'The second'"),
        (("", "[Player1]: You", "Player0"), "video_name: is empty"),
        (("b.mp4", "[Player1]: He saw her.", "Player0"), "user: does not say which pronoun"),
        (
            ("b.mp4", "[Player1]: He is Player300000.", "Player0"),
            "user: names Player300000; a question can have at most 26",
        ),
        (("../b.mp4", "[Player1]: He is.", "Player0"), "video_name: is '../b.mp4'"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_can_be_skipped(
    bad: tuple[str, str, str], message: str, tmp_path: Path
) -> None:
    good = ("a.mp4", "A prompt\nof several lines\n[Player1]: She did.", "Player0")
    place = folder(tmp_path, [good, bad, good])
    words = ("online-mmsi", place, "--task", "PCR")
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and f"metadata.csv:5:{message}" in result.stderr  # the first row takes lines 2 to 4
    episodes, account = converted(tmp_path / "e.jsonl", *words, "--skip-bad")
    assert (len(episodes), account["skipped"]) == (2, 1)


def test_a_folder_of_another_form_is_named(tmp_path: Path) -> None:
    result = convert("online-mmsi", tmp_path, "--task", "STI", "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 2 and "has neither train/metadata.csv nor test/metadata.csv" in result.stderr
    place = folder(tmp_path, [])
    (place / "test" / "metadata.csv").write_text("file_name,text\n")
    result = convert("online-mmsi", place, "--task", "STI", "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and "metadata.csv:1: has no column video_name" in result.stderr
