"""`socialcli convert mmsi`, on files in the release's layout, against expectations written by hand."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socialcli.episodes.records import Episode, Question
from socialcli_mmsi.arrays import read_objects

from ..video.clips import write_video
from .mmsi import TRAINED, person, release, save
from .sources import convert, converted, one, read, write

# id, task, utterance, the words of the span, answer: the questions of the two games, in the order of the files
EXPECTED = [
    ("vid1_Game1/1/STI", "target", "u1", None, "Player1"),
    ("vid1_Game1/2/STI", "target", "u2", None, "Player0"),
    ("vid1_Game1/2/PCR/6", "coref", "u2", "he", "Player2"),
    ("vid1_Game1/4/PCR/8", "coref", "u4", "his", "Player0"),
    ("vid1_Game1/4/PCR/10", "coref", "u4", "her", "Player1"),  # inside "there", which the labels mark
    ("vid1_Game1/4/MPP/3", "mentioned", "u4", "Speaker 0", "Player0"),
    ("vid1_Game1/4/MPP/6", "mentioned", "u4", "Speaker 1", "Player1"),
    ("vid1_Game1/5/STI", "target", "u5", None, "Player2"),  # "You" is the third word of the line
    ("vid1_Game1/7/PCR/2", "coref", "u7", "He", "Player1"),  # the first of two in a bracket
    ("vid1_Game1/8/STI", "target", "u8", None, "Player1"),  # of two names, one is a player's
    ("vid1_Game1/9/MPP/3", "mentioned", "u9", "Speaker 2", "Player2"),
    ("vid1_Game1/9/MPP/5", "mentioned", "u9", "Speaker 2", "Player2"),
    ("vid2_Game3/1/STI", "target", "u1", None, "Player3"),
    ("vid2_Game3/2/PCR/2", "coref", "u2", "She", "Player0"),
]


def asked(episodes: list[Episode]) -> list[tuple[str, str, str | None, str | None, str | None]]:
    return [row(episode, question) for episode in episodes for question in episode.questions]


def row(episode: Episode, question: Question) -> tuple[str, str, str | None, str | None, str | None]:
    text = {item.id: item.text for item in episode.utterances}[str(question.utterance)]
    words = None if question.span is None else text[slice(*question.span)]
    return question.id, question.task, question.utterance, words, question.answer


def test_the_questions_are_those_of_the_release(tmp_path: Path) -> None:
    episodes, account = converted(tmp_path / "e.parquet", *release(tmp_path))
    assert asked(episodes) == EXPECTED
    assert [(episode.episode_id, episode.split) for episode in episodes] == [
        *((f"vid1_Game1/{line}", "train") for line in (1, 2, 4, 5, 7, 8, 9)),
        *((f"vid2_Game3/{line}", "test") for line in (1, 2)),
    ]
    assert {episode.dataset for episode in episodes} == {"mmsi"}
    assert account["found"]["questions"] == len(EXPECTED) and account["skipped"] == 0
    # What asks nothing: "you?" is not "you", the narrator is no player, and line 7 addresses two.


@pytest.mark.parametrize(("kind", "task"), [("STI", "target"), ("PCR", "coref"), ("MPP", "mentioned")])
def test_a_task_alone_asks_the_same(kind: str, task: str, tmp_path: Path) -> None:
    episodes, _ = converted(tmp_path / "e.parquet", *release(tmp_path), "--task", kind)
    assert asked(episodes) == [row for row in EXPECTED if row[1] == task]


@pytest.mark.parametrize(
    "label", ["[player{}]", "Player{}", "［PLAYER{}］", "\u200e[Player{}]", ">>[Player{}]", "【Player{}】"]
)
def test_players_are_known_however_they_are_written(label: str, tmp_path: Path) -> None:
    words = release(tmp_path)
    lines = TRAINED.split("\n")
    for player in range(3):
        tag = f"[Player{player}] ("
        lines = [label.format(player) + f" ({line[len(tag) :]}" if line.startswith(tag) else line for line in lines]
    write(tmp_path / "transcripts" / "vid1_Game1.txt", "\n".join(lines).replace("(00:04):", "（00:04）："))
    assert lines != TRAINED.split("\n")
    episodes, _ = converted(tmp_path / "e.parquet", *words)
    assert asked(episodes) == EXPECTED


def test_words_speakers_and_times(tmp_path: Path) -> None:
    episodes, account = converted(tmp_path / "e.parquet", *release(tmp_path))
    said = [(one.id, one.speaker, one.start, one.end, one.text) for one in episodes[0].utterances]
    assert said == [
        ("u1", "Player0", 2.0, 4.0, "I think you are the werewolf."),
        ("u2", "Player1", 4.0, 5.0, "Did you see what he did?"),
        ("u3", None, 5.0, 7.0, "Everybody close your eyes."),
        ("u4", "Player2", 7.0, 8.0, "Well Speaker 0 said that Speaker 1 took his card there."),  # a second at least
        ("u5", "Player1", 7.0, 8.0, "You"),
        ("u7", "Player0", 7.0, 12.0, "He told her so, and you know it"),  # 31 s is out of order, and moved
        ("u8", "Player2", 12.0, 14.0, "Everybody looked at you so"),
        ("u9", "Player1", 14.0, 15.6, "Ask Speaker 2, ask Speaker 2."),  # four words of 0.4 s, a name being one
    ]
    assert account["notes"]["utterances whose time was out of order and was changed to fit"] == 1
    assert (episodes[0].video.start, episodes[0].video.end) == (2.0, 15.6)
    assert [speaker.id for speaker in episodes[0].speakers] == ["Player0", "Player1", "Player2"]
    assert [speaker.id for speaker in episodes[-1].speakers] == [f"Player{number}" for number in range(4)]


def test_the_context_is_shifted_at_the_ends_of_a_game(tmp_path: Path) -> None:
    episodes, _ = converted(tmp_path / "e.parquet", *release(tmp_path), "--context", 1)
    shown = {episode.episode_id: [item.id for item in episode.utterances] for episode in episodes}
    # 8 utterances, one before and after. The release's loader has start = max(0, i - 1 - max(0, 1 - (8 - i) + 1)), and
    # three from there: at the beginning and at the last one the window keeps its length, and the last but one is shown
    # with one more before it.
    assert shown == {
        "vid1_Game1/1": ["u1", "u2", "u3"],
        "vid1_Game1/2": ["u1", "u2", "u3"],
        "vid1_Game1/4": ["u3", "u4", "u5"],
        "vid1_Game1/5": ["u4", "u5", "u7"],
        "vid1_Game1/7": ["u5", "u7", "u8"],
        "vid1_Game1/8": ["u7", "u8", "u9"],
        "vid1_Game1/9": ["u7", "u8", "u9"],
        "vid2_Game3/1": ["u1", "u2", "u3"],
        "vid2_Game3/2": ["u1", "u2", "u3"],
    }


def test_online_shows_nothing_that_comes_later(tmp_path: Path) -> None:
    episodes, _ = converted(tmp_path / "e.parquet", *release(tmp_path), "--context", 2, "--online")
    shown = {episode.episode_id: [item.id for item in episode.utterances] for episode in episodes}
    assert shown["vid1_Game1/1"] == ["u1"]
    assert shown["vid1_Game1/8"] == ["u5", "u7", "u8"]
    assert shown["vid1_Game1/9"] == ["u7", "u8", "u9"]
    assert {episode.dataset for episode in episodes} == {"online-mmsi"}
    assert asked(episodes) == EXPECTED
    for episode in episodes:
        asked_about = {item.id: item for item in episode.utterances}[str(episode.questions[0].utterance)]
        assert episode.video.end == asked_about.end == max(item.end for item in episode.utterances)
        assert all(box.time <= asked_about.end for box in episode.boxes)


def test_boxes_are_the_extent_of_the_confident_points(tmp_path: Path) -> None:
    episodes, account = converted(tmp_path / "e.parquet", *release(tmp_path), "--context", 0, "--task", "STI")
    found = [(box.speaker, box.time, box.x0, box.y0, box.x1, box.y1) for box in episodes[0].boxes if box.time < 2.7]
    assert episodes[0].video.start == 2.0
    ann, bob = (90.0, 30.0, 210.0, 270.0), (390.0, 50.0, 510.0, 170.0)  # 10 percent of 100 x 200 and of 100 x 100
    assert found == [
        ("Player0", 2.0, *ann),
        ("Player1", 2.0, *bob),
        ("Player1", 2.4, 628.0, 338.5, 640.0, 356.5),  # 640 is the edge of the picture; Player0 is too unsure
        ("Player1", 2.6, *bob),  # two points make no box of Player0
    ]
    assert {box.time for box in episodes[0].boxes} <= {step / 5 for step in range(10, 21)}
    assert account["notes"]["boxes cut at the edge of the picture"] == 1
    assert account["notes"]["people at a step who are not players"] == 1
    assert account["notes"]["players at a step with fewer than 3 confident points"] == 2
    assert episodes[-1].boxes == ()  # a game whose keypoints are empty


def test_margin_confidence_and_size(tmp_path: Path) -> None:
    options = ("--margin", "0", "--confidence", "0.1", "--size", "1280x720")
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "vid1_Game1.mp4", 4)
    episodes, _ = converted(tmp_path / "e.parquet", *release(tmp_path), "--context", 0, *options)
    video = episodes[0].video
    assert (video.path, episodes[-1].video.width) == ("videos/vid1_Game1.mp4", 1280)
    assert video.width < 1280
    wide, high = video.width / 1280, video.height / 720
    box = next(box for box in episodes[0].boxes if (box.speaker, box.time) == ("Player0", 2.4))
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((100 * wide, 50 * high, 200 * wide, 250 * high), abs=1e-3)


def test_without_keypoints_there_are_no_boxes(tmp_path: Path) -> None:
    words = [str(word) for word in release(tmp_path)]
    at = words.index("--keypoints")
    episodes, _ = converted(tmp_path / "e.parquet", *words[:at], *words[at + 2 :])
    assert asked(episodes) == EXPECTED and not any(episode.boxes for episode in episodes)


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    words = release(tmp_path)
    for suffix in ("parquet", "jsonl.gz"):
        for name in ("a", "b"):
            converted(tmp_path / f"{name}.{suffix}", *words)
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("transcripts/vid1_Game1.txt", TRAINED.replace("(00:04)", "(4 s)"), ":2:time: is '4 s', not minutes:seconds"),
        ("transcripts/vid1_Game1.txt", TRAINED.replace("(00:04):", "00:04"), ":2: is '[Player1] 00:04 Did"),
        ("labeled/vid1_Game1.txt", "[Player0] (00:02): I", ":2: has 1 lines, but "),
        ("meta/vid1.json", {"Game2": {"playerNames": ["a", "b"]}}, ":Game1.playerNames: is None"),
        ("meta/vid1.json", "[", ":1: is not JSON"),
        ("keypoints/vid1_Game1.npy", b"\x93NUMPY and then nothing", ": is not a file of keypoints"),
    ],
)
def test_what_cannot_be_read_is_named_and_can_be_skipped(name: str, content: Any, message: str, tmp_path: Path) -> None:
    words = release(tmp_path)
    write(tmp_path / name, content)
    result = convert(*words, "-o", tmp_path / "e.parquet")
    assert result.exit_code == 4 and f"{tmp_path / name}{message}" in result.stderr
    assert not (tmp_path / "e.parquet").exists()
    episodes, account = converted(tmp_path / "e.parquet", *words, "--skip-bad")
    assert account["skipped"] == 1
    assert [row for row in asked(episodes) if row[0].startswith("vid2")] == EXPECTED[-2:]
    if name.startswith("transcripts"):  # a line costs what is asked about it, and nothing else
        assert asked(episodes) == [row for row in EXPECTED if not row[0].startswith("vid1_Game1/2/")]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    words = release(tmp_path)
    (tmp_path / "keypoints" / "vid1_Game1.npy").unlink()
    result = convert(*words, "-o", tmp_path / "e.parquet")
    assert result.exit_code == 2 and "vid1_Game1.npy: there is no such file" in result.stderr


@pytest.mark.parametrize(
    "people", [[{"idx": 0}], [{"idx": 0, "keypoints": [1.0] * 50}], "nobody", [{"idx": "x", "keypoints": []}]]
)
def test_keypoints_of_another_form_are_named(people: Any, tmp_path: Path) -> None:
    words = release(tmp_path)
    save(tmp_path / "keypoints" / "vid1_Game1.npy", [[], people])
    result = convert(*words, "-o", tmp_path / "e.parquet")
    assert result.exit_code == 4 and "vid1_Game1.npy:[1]" in result.stderr


class Trap:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("touch trapped",)


def test_keypoints_never_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = release(tmp_path)
    save(tmp_path / "keypoints" / "vid1_Game1.npy", [[Trap()]])
    result = convert(*words, "-o", tmp_path / "e.parquet")
    assert result.exit_code == 4 and "cannot be read" not in result.stdout
    assert "it calls posix.system" in result.stderr and not (tmp_path / "trapped").exists()


def test_keypoints_may_be_arrays_of_any_pickle(tmp_path: Path) -> None:
    words = release(tmp_path)
    whole, _ = converted(tmp_path / "a.parquet", *words)
    path = tmp_path / "keypoints" / "vid1_Game1.npy"
    steps = np.load(path, allow_pickle=True)
    for people in steps:
        for one_person in people:
            one_person["keypoints"] = np.asarray(one_person["keypoints"], dtype=np.float32)
            one_person["idx"] = np.int64(one_person["idx"])
    for protocol in (2, 4):
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": steps.shape})
            pickle.dump(steps, file, protocol=protocol)
        again, _ = converted(tmp_path / f"b{protocol}.parquet", *words)
        assert asked(again) == asked(whole)
        assert [len(episode.boxes) for episode in again] == [len(episode.boxes) for episode in whole]


def test_the_output_is_replaced_only_when_asked(tmp_path: Path) -> None:
    words = release(tmp_path)
    output = write(tmp_path / "e.jsonl", "mine")
    result = convert(*words, "-o", output)
    assert result.exit_code == 2 and "--overwrite" in result.stderr and output.read_text() == "mine"
    converted(output, *words, "--overwrite")
    assert len(read(output)) == 9


def test_an_answer_that_is_nobody_is_counted(tmp_path: Path) -> None:
    words = release(tmp_path)
    file = tmp_path / "labeled" / "vid2_Game3.txt"
    file.write_text(file.read_text().replace("She[Player0]", "She[Player8]"))
    episodes, account = converted(tmp_path / "e.parquet", *words)
    assert asked(episodes) == EXPECTED[:-1]
    assert account["notes"]["questions whose answer or speaker is not a player of the game"] == 1


def test_a_split_file_of_another_form_is_named(tmp_path: Path) -> None:
    words = release(tmp_path)
    for content, message in (({"val": []}, "train or test"), ({"train": "vid1_Game1"}, ":train: is not a list")):
        (tmp_path / "split.json").write_text(json.dumps(content))
        result = convert(*words, "-o", tmp_path / "e.parquet")
        assert result.exit_code == 4 and message in result.stderr


def test_whoever_speaks_to_himself_is_a_candidate(tmp_path: Path) -> None:
    """The release asks such a question, too; the task's own candidates would leave its answer out."""
    words = release(tmp_path)
    file = tmp_path / "labeled" / "vid2_Game3.txt"
    file.write_text(file.read_text().replace("sure? [Player3]", "sure? [Player1]"))
    episodes, _ = converted(tmp_path / "e.parquet", *words, "--task", "STI")
    question = one(episodes[-1].questions)
    assert (question.answer, question.candidates) == ("Player1", tuple(f"Player{number}" for number in range(4)))
    assert episodes[0].questions[0].candidates is None


def test_the_second_game_has_its_own_boxes_and_times(tmp_path: Path) -> None:
    words = release(tmp_path)
    square = ((100.0, 50.0), (200.0, 50.0), (100.0, 250.0))
    steps: list[Any] = [None] * 300 + [
        [person(3, *square)],
        None,
        [person(0, *square)],
    ]  # 60.0 to 60.4 s; shorter than the game
    save(tmp_path / "keypoints" / "vid2_Game3.npy", steps)
    episodes, _ = converted(tmp_path / "e.parquet", *words)
    last = episodes[-1]
    assert [(item.id, item.speaker, item.start, item.end) for item in last.utterances] == [
        ("u1", "Player1", 60.0, 62.0),
        ("u2", "Player3", 62.0, 63.0),
        ("u3", "Player0", 63.0, 64.0),
    ]
    assert (last.video.start, last.video.end) == (60.0, 64.0)
    assert [(box.speaker, box.time, box.x0) for box in last.boxes] == [("Player3", 60.0, 90.0), ("Player0", 60.4, 90.0)]


@pytest.mark.parametrize(
    "steps",
    [[[person(0, (1, 1), (2, 2), (3, 3))]] * 40, [[]] * 40, [[person(-1, (1, 1), (2, 2), (3, 3))]] * 40],
    ids=["as many at each step", "nobody ever", "a number below 0"],
)
def test_keypoints_as_numpy_saves_a_list_of_steps(steps: list[Any], tmp_path: Path) -> None:
    """Then the array has two dimensions, or holds no objects at all."""
    words = release(tmp_path)
    np.save(tmp_path / "keypoints" / "vid1_Game1.npy", np.asanyarray(steps), allow_pickle=True)
    episodes, _ = converted(tmp_path / "e.parquet", *words, "--context", "0", "--task", "STI")
    people = [person for step in steps for person in step]
    assert [box.speaker for box in episodes[0].boxes] == (["Player0"] * 11 if people and people[0]["idx"] == 0 else [])


def test_damaged_keypoints_are_reported_and_do_no_damage(tmp_path: Path) -> None:
    """Bytes changed and cut at random: read, or refused as what they are, in a process that goes on."""
    release(tmp_path)
    content = (tmp_path / "keypoints" / "vid1_Game1.npy").read_bytes()
    chance = random.Random(0)
    refused = 0
    for _ in range(1500):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        damaged = damaged[: chance.choice((len(damaged), chance.randrange(len(damaged))))]
        try:
            read_objects(bytes(damaged))
        except ValueError:
            refused += 1
    assert refused > 700
    grown = content.replace(b"Kd\x85", b"K\xff\x85")  # the shape in the pickle, 100 -> 255
    assert grown != content
    with pytest.raises(ValueError, match="does not have as many values"):
        read_objects(grown)


def test_a_game_named_twice_and_a_name_that_leads_elsewhere(tmp_path: Path) -> None:
    words = release(tmp_path)
    for games, message in ((["vid1_Game1", "vid1_Game1"], "names vid1_Game1 twice"), (["../x"], "named '../x'")):
        (tmp_path / "split.json").write_text(json.dumps({"train": games}))
        result = convert(*words, "-o", tmp_path / "e.parquet")
        assert result.exit_code == 4 and message in result.stderr


def test_mentions_in_one_word_are_masked_together(tmp_path: Path) -> None:
    words = release(tmp_path)
    for folder in ("transcripts", "labeled"):
        file = tmp_path / folder / "vid2_Game3.txt"
        file.write_text(file.read_text().replace("is.", "saw [Player2]...[Player2]!"))
    episodes, _ = converted(tmp_path / "e.parquet", *words, "--task", "MPP")
    question = one(episodes[-1].questions)
    text = episodes[-1].utterances[1].text
    assert text[slice(*(question.span or ()))] == "Speaker 2...Speaker 2"


@pytest.mark.parametrize("option", ["--confidence", "--margin"])
def test_a_share_is_a_number(option: str, tmp_path: Path) -> None:
    result = convert(*release(tmp_path), f"{option}=nan", "-o", tmp_path / "e.parquet")
    assert result.exit_code == 2 and option in result.stderr


def test_options_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALCLI_CONVERT_MMSI_TASK", "MPP")
    episodes, _ = converted(tmp_path / "e.parquet", *release(tmp_path))
    assert asked(episodes) == [row for row in EXPECTED if row[1] == "mentioned"]


def test_a_player_who_is_there_twice_counts_once(tmp_path: Path) -> None:
    words = release(tmp_path)
    first, last = ((1.0, 1.0), (2.0, 2.0), (3.0, 3.0)), ((10.0, 10.0), (20.0, 20.0), (30.0, 30.0))
    save(tmp_path / "keypoints" / "vid1_Game1.npy", [[]] * 10 + [[person(0, *first), person(0, *last)]])
    episodes, _ = converted(tmp_path / "e.parquet", *words, "--margin", "0")
    box = one(episodes[0].boxes)
    assert (box.time, box.x0, box.x1) == (2.0, 10.0, 30.0)
