"""`socialcli convert tvqa-plus`: the real annotations of 20 clips, and what a release can hold besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from socialcli.cli import main
from socialcli.converting.boxes import CUT
from socialcli.episodes.records import Speaker
from socialcli.tasks.prompt import build_prompt
from socialcli.tasks.videoqa import VideoQA

from ..conftest import SAMPLE
from .sources import TVQA, convert, converted, draw_frames, one, tvqa_plus, write

PEOPLE = {"Sheldon", "Leonard", "Penny", "Raj", "Howard", "Amy", "Stuart", "Bernadette", "Priya", "Dave"}


@pytest.fixture(scope="module")
def annotations() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(tvqa_plus().read_text(encoding="utf-8"))
    return found


def question(**changes: Any) -> dict[str, Any]:
    box = {"img_id": 7, "top": 10, "left": 20, "width": 100, "height": 200, "label": "Sheldon"}
    answers = {"a0": "Here", "a1": "There", "a2": "Up", "a3": "Down", "a4": "Away", "answer_idx": "3"}
    record = {"qid": 1, "q": "Where is Sheldon ?", "ts": [1.0, 2.0], "vid_name": "s01e01_seg01_clip_00"}
    return record | answers | {"bbox": {"7": [box]}} | changes


def boxed(
    label: str | None, img_id: int = 1, left: Any = 0, top: float = 0, width: float = 50, height: float = 50
) -> Any:
    edges = {"left": left, "top": top, "width": width, "height": height}
    return {"bbox": {str(img_id): [{"img_id": img_id, "label": label, **edges}]}}


def test_the_real_clips_convert(annotations: list[dict[str, Any]], tmp_path: Path) -> None:
    episodes, account = converted(tmp_path / "e.parquet", "tvqa-plus", TVQA, "--frames", tmp_path / "frames")
    assert (len(episodes), sum(len(episode.questions) for episode in episodes)) == (20, 140)
    questions = {item.id: (episode, item) for episode in episodes for item in episode.questions}
    for record in annotations:
        episode, item = questions[str(record["qid"])]
        assert (episode.episode_id, item.text, item.task) == (record["vid_name"], record["q"], "videoqa")
        assert item.candidates == tuple(record[f"a{index}"] for index in range(5))
        assert item.answer is not None and item.candidates.index(item.answer) == int(record["answer_idx"])
    assert {episode.split for episode in episodes} == {"validation"}
    assert account["found"]["questions of videoqa"] == 140 and account["skipped"] == 0


def test_every_box_of_a_person_is_kept_or_counted(annotations: list[dict[str, Any]], tmp_path: Path) -> None:
    episodes, account = converted(tmp_path / "e.parquet", "tvqa-plus", TVQA, "--frames", tmp_path / "frames")
    labelled = [box for record in annotations for found in record["bbox"].values() for box in found]
    notes = account["notes"]
    dropped = sum(number for what, number in notes.items() if what.startswith("boxes dropped"))
    assert account["found"]["boxes"] + dropped == len(labelled)
    outside = [box for box in labelled if box["left"] + box["width"] > 640 or box["top"] + box["height"] > 360]
    assert notes[CUT] == len(outside) == 1
    for episode in episodes:
        assert {speaker.id for speaker in episode.speakers} <= PEOPLE
        for box in episode.boxes:
            assert 0 <= box.x0 < box.x1 <= 640 and 0 <= box.y0 < box.y1 <= 360
    spelt = {what: number for what, number in notes.items() if " labelled " in what}
    kinds = ("Sheldin", 6), ("Sheldo", 4), ("sheldon", 5), ("leonard", 5)
    assert spelt == {
        f"boxes of {'Leonard' if spelling == 'leonard' else 'Sheldon'} labelled {spelling}": n for spelling, n in kinds
    }
    assert notes["boxes dropped of groups"] == 27 + 13 + 13 + 6 + 5 + 2  # girls, guys, men, gang, everybody, women
    assert notes["boxes dropped of people without a name"] == 28 + 13 + 3 + 2  # receptionist, man, physicist, sister


def test_image_1_is_at_0_seconds_and_image_7_at_2(annotations: list[dict[str, Any]], tmp_path: Path) -> None:
    episodes, _ = converted(tmp_path / "e.parquet", "tvqa-plus", TVQA, "--frames", tmp_path / "frames")
    by_clip = {episode.episode_id: episode for episode in episodes}
    found = 0
    for record in annotations:
        for box in (box for boxes in record["bbox"].values() for box in boxes):
            if box["label"] in PEOPLE and box["left"] + box["width"] <= 640:
                time = (box["img_id"] - 1) / 3
                edges = (box["left"], box["top"], box["left"] + box["width"], box["top"] + box["height"])
                kept = [
                    one for one in by_clip[record["vid_name"]].boxes if (one.speaker, one.time) == (box["label"], time)
                ]
                assert len(kept) == 1  # of several, the first question's
                found += (kept[0].x0, kept[0].y0, kept[0].x1, kept[0].y1) == edges
    assert found > 700
    written = write(tmp_path / "tvqa_plus_train.json", [question(**boxed("Penny", 1)), question(qid=2)])
    (episode,), _ = converted(tmp_path / "f.jsonl", "tvqa-plus", written, "--frames", tmp_path / "frames")
    assert [(box.speaker, box.time) for box in episode.boxes] == [("Penny", 0.0), ("Sheldon", 2.0)]
    assert episode.split == "train" and episode.video.fps == 3


def test_the_real_questions_can_be_asked_of_drawn_frames(annotations: list[dict[str, Any]], tmp_path: Path) -> None:
    for clip in {record["vid_name"] for record in annotations}:
        draw_frames(tmp_path / "frames" / clip, 8)
    _, account = converted(tmp_path / "e.parquet", "tvqa-plus", TVQA, "--frames", tmp_path / "frames")
    assert "clips whose pictures are missing" not in account["notes"]
    options = ("--model", "internvl3", "--checkpoint", SAMPLE / "checkpoints" / "internvl3", "--frames", 2)
    words = ("run", tmp_path / "e.parquet", *options, "--task", "videoqa", "-o", tmp_path / "out", "-q")
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    rows = pq.read_table(tmp_path / "out" / "predictions.parquet").to_pylist()
    assert (len(rows), {row["status"] for row in rows}) == (140, {"ok"})
    assert {row["question_id"]: row["answer"] for row in rows} == {
        str(record["qid"]): record[f"a{record['answer_idx']}"] for record in annotations
    }


def test_equal_answers_are_kept_and_known_by_their_place(tmp_path: Path) -> None:
    equal = {"a0": "On the desk .", "a1": "On the desk .", "a2": "हाँ", "a3": "हाँ ", "a4": "On the bed ."}
    places: list[Any] = ["1", 3, "4", None]
    records = [question(**equal, qid=number, answer_idx=place) for number, place in enumerate(places)]
    source = write(tmp_path / "tvqa_plus_val.json", records)
    for name in ("e.jsonl", "e.parquet"):
        (episode,), account = converted(tmp_path / name, "tvqa-plus", source, "--frames", tmp_path)
        assert account["found"]["questions"] == 4 and account["skipped"] == 0
        assert [(item.answer, item.answer_index) for item in episode.questions] == [
            ("On the desk .", 1),
            ("हाँ", 3),
            ("On the bed .", None),
            (None, None),
        ]


def test_the_case_of_equal_answers(cases: Path, tmp_path: Path) -> None:
    source = cases / "tvqa-plus-equal-answers" / "mini_val.json"
    (episode,), account = converted(tmp_path / "e.jsonl", "tvqa-plus", source, "--frames", tmp_path / "frames")
    assert [item.answer for item in episode.questions] == ["On the laptop .", "One"]
    assert episode.questions[0].candidates is not None and len(episode.questions[0].candidates) == 5
    assert account["skipped"] == 0


def validation_split() -> list[dict[str, Any]]:
    """As many questions as the released file has: 3,017. In 8 two answers are equal, the right one in 2 of these."""
    records = [question(qid=n, vid_name=f"s01e01_seg01_clip_{n // 9:03}", answer_idx=str(n % 5)) for n in range(3017)]
    for count, place in enumerate(range(46, 3017, 370)):
        equal = {"a3": "SALAAM", "a4": "SALAAM", "answer_idx": "4" if count < 2 else "1"}
        if count < 8:
            records[place] |= equal
    return records


def test_a_file_like_the_released_one_gives_all_questions(tmp_path: Path) -> None:
    records = validation_split()
    assert sum(len({record[f"a{index}"] for index in range(5)}) < 5 for record in records) == 8
    source = write(tmp_path / "tvqa_plus_val.json", records)
    episodes, account = converted(tmp_path / "val.parquet", "tvqa-plus", source, "--frames", tmp_path / "frames")
    assert (account["found"]["questions"], account["skipped"]) == (3017, 0)
    asked = {item.id: item for episode in episodes for item in episode.questions}
    assert sum(item.answer_index is not None for item in asked.values()) == 2
    for record in records:
        item = asked[str(record["qid"])]
        assert item.candidates is not None
        assert item.place_of_answer(item.candidates) == int(record["answer_idx"])


@pytest.mark.parametrize(
    ("label", "speaker"),
    [
        *((spelling, "Sheldon") for spelling in ("sheldon", "Sheldin", "Sheldons", "Shledon", "Sheldon's")),
        ("Rajesh", "Raj"),
        ("Penny Hofstadter", "Penny"),
    ],
)
def test_spellings_of_a_name_are_one_person(label: str, speaker: str, tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(**boxed(label))])
    (episode,), account = converted(tmp_path / "e.jsonl", "tvqa-plus", source, "--frames", tmp_path)
    assert episode.speakers == (Speaker(speaker, speaker),)
    assert account["notes"][f"boxes of {speaker} labelled {label}"] == 1


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        *((label, "things") for label in ("couch", "pans", "army", "berry", "copper", "Howard laptop")),
        *((label, "groups") for label in ("guys", "Everyone")),
        ("waitress", "people without a name"),
    ],
)
def test_what_is_nobody_in_particular_is_dropped(label: str, kind: str, tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(**boxed(label))])
    (episode,), account = converted(tmp_path / "e.jsonl", "tvqa-plus", source, "--frames", tmp_path)
    assert (episode.boxes, episode.speakers) == ((), ())
    assert account["notes"][f"boxes dropped of {kind}"] == 1


def test_a_label_can_be_said_to_be_a_person(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(**boxed("Yorick"))])
    words = ("tvqa-plus", source, "--frames", tmp_path, "--person", "Yorick")
    (episode,), _ = converted(tmp_path / "e.jsonl", *words)
    assert episode.speakers == (Speaker("Yorick", "Yorick"),)


def test_subtitles_of_the_release_say_who_speaks(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(**boxed("waitress"))])
    lines = "Sheldon : Hello .|Listen .|( Leonard : ) No !|SHELDON : Yes , I am .|Waitress : Tea ?|All : Yes !"
    text = " <eos> ".join(lines.split("|"))
    subtitles = {"s01e01_seg01_clip_00": {"sub_text": text, "sub_time": [0.5, 2.0, 4.25, 6, 7, 8]}}
    place = write(tmp_path / "tvqa_plus_subtitles.json", subtitles)
    words = ("tvqa-plus", source, "--frames", tmp_path, "--subtitles", place)
    (episode,), _ = converted(tmp_path / "e.jsonl", *words)
    assert [(one.speaker, one.start, one.end, one.text) for one in episode.utterances] == [
        ("Sheldon", 0.5, 2.0, "Hello ."),
        (None, 2.0, 4.25, "Listen ."),
        ("Leonard", 4.25, 6.0, "No !"),
        ("Sheldon", 6.0, 7.0, "Yes , I am ."),
        ("Waitress", 7.0, 8.0, "Tea ?"),
        (None, 8.0, 8.4, "Yes !"),
    ]
    assert [speaker.id for speaker in episode.speakers] == ["Sheldon", "Leonard", "Waitress"]
    assert [box.speaker for box in episode.boxes] == ["Waitress"]  # who speaks has a name, so the label means somebody


def test_labels_in_brackets_and_behind_chevrons_are_read_from_json_and_srt(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question()])
    lines = ("[Sheldon]: Hello.", ">> PENNY: Hi.", ">> So.", "[राज]：नमस्ते", "[Music] la", "[Music] li", "[Music] lo")
    expected = [("Sheldon", "Hello."), ("Penny", "Hi."), (None, "So."), ("राज", "नमस्ते")]
    expected += [(None, line) for line in lines[4:]]
    subtitles = {"s01e01_seg01_clip_00": {"sub_text": "<eos>".join(lines), "sub_time": [*range(7)]}}
    place = write(tmp_path / "subtitles.json", subtitles)
    cues = (f"{n}\n00:00:0{n},000 -> 00:00:0{n},900\n{line}\n" for n, line in enumerate(lines, start=1))
    write(tmp_path / "srt" / "s01e01_seg01_clip_00.srt", "\n".join(cues))
    for subtitled in (place, tmp_path / "srt"):
        words = ("tvqa-plus", source, "--frames", tmp_path, "--subtitles", subtitled, "--overwrite")
        (episode,), account = converted(tmp_path / "e.jsonl", *words)
        assert [(item.speaker, item.text) for item in episode.utterances] == expected
        assert account["notes"]["lines that begin like a label but have no known speaker"] == 3


def test_the_case_of_unknown_names(cases: Path, tmp_path: Path) -> None:
    case = cases / "tvqa-plus-unkname"
    words = ("tvqa-plus", case / "mini.json", "--frames", tmp_path / "frames", "--subtitles", case / "sub.json")
    (episode,), account = converted(tmp_path / "e.jsonl", *words)
    assert [item.speaker for item in episode.utterances] == [None, "Sheldon", None, "Leonard", "Howard"]
    assert [speaker.id for speaker in episode.speakers] == ["Sheldon", "Leonard", "Howard"]
    assert account["notes"]["lines whose speaker the subtitles do not name"] == 2


@pytest.mark.parametrize("marker", ["UNKNAME", "Unkname", "UNKNOWN", "Unknown", "Unknown Speaker", "NA"])
def test_a_marker_of_somebody_unknown_is_no_person(marker: str, tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(**boxed(marker))])
    text = f"{marker} : Hello . <eos> Sheldon : 你好 <eos> ( {marker} : ) नमस्ते !"
    released = write(tmp_path / "subtitles.json", {"s01e01_seg01_clip_00": {"sub_text": text, "sub_time": [0, 1, 2]}})
    cue = f"1\n00:00:01,000 --> 00:00:02,000\n({marker}:)Hello.\n- {marker}: 你好\n- Sheldon: नमस्ते\n"
    write(tmp_path / "srt" / "s01e01_seg01_clip_00.srt", cue)
    for place, who in ((released, [None, "Sheldon", None]), (tmp_path / "srt", [None, None, "Sheldon"])):
        words = ("tvqa-plus", source, "--frames", tmp_path, "--subtitles", place, "--overwrite")
        (episode,), account = converted(tmp_path / "e.jsonl", *words)
        assert [item.speaker for item in episode.utterances] == who
        assert not any(marker in item.text for item in episode.utterances)
        assert [speaker.id for speaker in episode.speakers] == ["Sheldon"] and episode.boxes == ()
        assert account["notes"]["lines whose speaker the subtitles do not name"] == 2
        assert account["notes"]["boxes dropped of people without a name"] == 1


def test_unknown_lines_begin_with_somebody_in_the_prompt(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question()])
    subtitles = {"s01e01_seg01_clip_00": {"sub_text": "UNKNAME : Hello . <eos> Penny : Yes .", "sub_time": [0, 1]}}
    place = write(tmp_path / "subtitles.json", subtitles)
    (episode,), _ = converted(tmp_path / "e.jsonl", "tvqa-plus", source, "--frames", tmp_path, "--subtitles", place)
    prompt = build_prompt(VideoQA(), episode, episode.questions[0], None).text
    assert "People in the video: Penny, Sheldon.\n" in prompt and "UNKNAME" not in prompt
    assert "\nSomebody: Hello .\nPenny: Yes .\n" in prompt


def test_subtitles_of_a_folder_have_their_own_ends(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(), question(qid=2, vid_name="other")])
    cues = "1\n00:00:01,000 --> 00:00:02,500\n(Sheldon:)Hello.\nHow are you?\n\n"
    cues += "2\n00:00:03,000 --> 00:00:04,000\n- (Penny:)Fine.\n- Really?\n"
    write(tmp_path / "subtitles" / "s01e01_seg01_clip_00.srt", cues)
    words = ("tvqa-plus", source, "--frames", tmp_path, "--subtitles", tmp_path / "subtitles")
    (first, second), account = converted(tmp_path / "e.jsonl", *words)
    assert [(item.speaker, item.start, item.end, item.text) for item in first.utterances] == [
        ("Sheldon", 1.0, 2.5, "Hello. How are you?"),
        ("Penny", 3.0, 4.0, "Fine."),
        (None, 3.0, 4.0, "Really?"),
    ]
    assert second.utterances == () and account["notes"]["clips without subtitles"] == 1


def test_a_gap_in_the_pictures_of_a_clip_costs_the_clip(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(), question(qid=2, vid_name="other")])
    for clip in ("s01e01_seg01_clip_00", "other"):
        draw_frames(tmp_path / "frames" / clip, 5)
    (tmp_path / "frames" / "other" / "00003.jpg").unlink()
    (tmp_path / "frames" / "s01e01_seg01_clip_00" / "._00003.jpg").write_bytes(b"no image")
    words = ("tvqa-plus", source, "--frames", tmp_path / "frames")
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and "other: the numbers in the images' names have a gap" in result.stderr
    (episode,), account = converted(tmp_path / "e.jsonl", *words, "--skip-bad")
    assert episode.episode_id == "s01e01_seg01_clip_00" and account["skipped"] == 1


def test_boxes_go_with_the_size_of_the_pictures(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question()])
    draw_frames(tmp_path / "frames" / "s01e01_seg01_clip_00", 2, (320, 180))
    (episode,), _ = converted(tmp_path / "e.jsonl", "tvqa-plus", source, "--frames", tmp_path / "frames")
    assert (episode.video.width, episode.video.height, episode.video.path) == (320, 180, "frames/s01e01_seg01_clip_00")
    box = one(episode.boxes)
    assert (box.x0, box.y0, box.x1, box.y1) == (10, 5, 60, 105)


def test_the_same_bytes_twice(annotations: list[dict[str, Any]], tmp_path: Path) -> None:
    for name in ("a", "b"):
        converted(tmp_path / f"{name}.parquet", "tvqa-plus", TVQA, "--frames", tmp_path / "frames")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_unlabelled_questions_stay_without_an_answer(tmp_path: Path) -> None:
    record = question()
    del record["answer_idx"], record["bbox"]
    source = write(tmp_path / "tvqa_plus_test_no_anno.json", [record])
    (episode,), _ = converted(tmp_path / "e.jsonl", "tvqa-plus", source, "--frames", tmp_path)
    assert episode.questions[0].answer is None and episode.split == "test"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer_idx": "5"}, "[1].answer_idx: is '5', not a number from 0 to 4"),
        ({"a2": None}, "[1].a2: is None, and must be of type str"),
        ({"a2": "  "}, "[1].a2: is empty; fill it in"),
        ({"vid_name": 7}, "[1].vid_name: is 7"),
        ({"bbox": [1]}, "[1].bbox: is [1]"),
        ({"qid": 1}, "[1].qid: is 1 again"),
        ({"q": " "}, "[1]: has an empty vid_name, qid or q"),
    ],
)
def test_a_question_that_cannot_be_used_is_named_and_can_be_skipped(changes: Any, message: str, tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(), question(**{"qid": 2, **changes})])
    words = ("tvqa-plus", source, "--frames", tmp_path)
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and f"{source}:{message}" in result.stderr
    assert not (tmp_path / "e.jsonl").exists()
    (episode,), account = converted(tmp_path / "e.jsonl", *words, "--skip-bad")
    assert ([item.id for item in episode.questions], account["skipped"]) == (["1"], 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (boxed("Penny", left="x"), "[1].bbox.1[0].left: is 'x'"),
        (boxed("Penny", img_id=0), "[1].bbox.0[0].img_id: is 0"),
        (boxed("Penny", left=10**400), "[1].bbox.1[0].left: is 1000"),
        (boxed("Penny", img_id=10**400), "[1].bbox.1000"),
        (boxed(None), "[1].bbox.1[0].label: is None"),
    ],
)
def test_a_box_that_cannot_be_used_costs_only_itself(changes: Any, message: str, tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(**boxed("Penny")), question(**{"qid": 2, **changes})])
    words = ("tvqa-plus", source, "--frames", tmp_path)
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and f"{source}:{message}" in result.stderr
    (episode,), account = converted(tmp_path / "e.jsonl", *words, "--skip-bad")
    assert ([item.id for item in episode.questions], account["skipped"]) == (["1", "2"], 1)
    assert [(box.speaker, box.time) for box in episode.boxes] == [("Penny", 0.0)]
    write(source, [question(**{"qid": 2, **changes})])
    result = convert(*words, "-o", tmp_path / "f.jsonl", "--skip-bad")
    assert result.exit_code == 4 and "holds no usable box" in result.stderr


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"sub_text": "A : b", "sub_time": [1, 2]}, "sub_text: has 1 lines, but sub_time has 2 times"),
        ({"sub_text": "A : b"}, "sub_time: is not a list of seconds"),
        ({"sub_time": [1]}, "sub_text: is missing"),
    ],
)
def test_subtitles_that_cannot_be_used_cost_their_clip(entry: Any, message: str, tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question(), question(qid=2, vid_name="other")])
    place = write(tmp_path / "subtitles.json", {"other": entry})
    words = ("tvqa-plus", source, "--frames", tmp_path, "--subtitles", place)
    result = convert(*words, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and f"{place}:other.{message}" in result.stderr
    episodes, account = converted(tmp_path / "e.jsonl", *words, "--skip-bad")
    assert [episode.episode_id for episode in episodes] == ["s01e01_seg01_clip_00"] and account["skipped"] == 1


def test_a_file_that_is_no_release_is_named(tmp_path: Path) -> None:
    broken = write(tmp_path / "val.json", '[{"qid": 1},\n {"qid": }]')
    result = convert("tvqa-plus", broken, "--frames", tmp_path, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and f"{broken}:2: is not JSON" in result.stderr
    result = convert("tvqa-plus", tmp_path / "none.json", "--frames", tmp_path, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 2 and "there is no such file" in result.stderr
    result = convert("tvqa-plus", broken, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 2 and "will be: --frames DIR or --videos DIR" in result.stderr


def test_the_output_is_looked_at_first(tmp_path: Path) -> None:
    source = tmp_path / "none.json"
    there = write(tmp_path / "there.parquet", "mine")
    for output, message in (
        (tmp_path / "e.csv", "name a file that ends in one of .parquet"),
        (tmp_path / "none" / "e.parquet", "there is no such folder to write into"),
        (there, "already exists"),
    ):
        result = convert("tvqa-plus", source, "--frames", tmp_path, "-o", output)
        assert result.exit_code == 2 and message in result.stderr
    assert there.read_text() == "mine"


def test_half_a_character_is_no_text(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", '[{"q": "\\ud83c"}]')
    result = convert("tvqa-plus", source, "--frames", tmp_path, "-o", tmp_path / "e.jsonl")
    assert result.exit_code == 4 and f"{source}: has half of a surrogate pair" in result.stderr


def test_pictures_outside_the_media_root_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "tvqa_plus_val.json", [question()])
    (tmp_path / "elsewhere").mkdir()
    result = convert("tvqa-plus", source, "--frames", tmp_path / "frames", "-o", tmp_path / "elsewhere" / "e.jsonl")
    assert result.exit_code == 2 and "does not lie under" in result.stderr
    words = ("tvqa-plus", source, "--frames", tmp_path / "frames", "--media-root", tmp_path)
    (episode,), _ = converted(tmp_path / "elsewhere" / "e.jsonl", *words)
    assert episode.video.path == "frames/s01e01_seg01_clip_00"
