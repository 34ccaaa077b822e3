"""Every question of a valid episodes file ends as exactly one row per condition, whatever the episodes are like."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from ..conftest import SAMPLE
from ..verbs.runs import FAMILY, Record, assert_reported, command, write
from .consistency import TASKS, check_rows

WIDTH, HEIGHT, LENGTH = 640, 360, 5.0  # of all videos of the sample, which are at least as long
VIDEOS = sorted(path.relative_to(SAMPLE).as_posix() for path in (SAMPLE / "videos").iterdir())

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(str.strip)


def moments(first: float, last: float) -> st.SearchStrategy[float]:
    """Times in a clip, its ends and odd fractions among them."""
    return st.floats(first, last, allow_subnormal=False) | st.sampled_from([first, last, first + (last - first) / 3])


@st.composite
def boxes(draw: st.DrawFn, people: list[str], first: float, last: float) -> Record:
    """A box in the frame, which may be a sliver or all of it."""
    x0, y0 = draw(st.floats(0, WIDTH - 1)), draw(st.floats(0, HEIGHT - 1))
    x1, y1 = draw(st.floats(x0 + 1e-3, WIDTH)), draw(st.floats(y0 + 1e-3, HEIGHT))
    return {"speaker": draw(st.sampled_from(people)), "time": draw(moments(first, last))} | {
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
    }


@st.composite
def utterances(draw: st.DrawFn, people: list[str], first: float, last: float) -> list[Record]:
    """What is said, in order, by somebody or by nobody who is known."""
    starts = sorted(draw(st.lists(moments(first, last), min_size=1, max_size=4)))
    return [
        {
            "id": f"u{index}",
            "speaker": draw(st.none() | st.sampled_from(people)),
            "start": start,
            "end": draw(moments(start, last)),
            "text": draw(WORDS),
        }
        for index, start in enumerate(starts)
    ]


@st.composite
def questions(draw: st.DrawFn, name: str, people: list[str], said: list[Record]) -> Record | None:
    """A question of one of the tasks; None where the episode lacks what that needs."""
    task = draw(st.sampled_from(TASKS))
    question: Record = {"id": name, "task": task}
    if task == "videoqa":
        choices = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
        question |= {"text": draw(NAMES), "candidates": choices}
    else:
        fitting = [one for one in said if (one["speaker"] is not None if task == "target" else one["text"])]
        if not fitting or len(people) < 2:
            return None
        utterance = draw(st.sampled_from(fitting))
        question["utterance"] = utterance["id"]
        choices = [one for one in people if task != "target" or one != utterance["speaker"]]
        if task != "target":
            start = draw(st.integers(0, len(utterance["text"]) - 1))
            question["span"] = [start, draw(st.integers(start + 1, len(utterance["text"])))]
        if draw(st.booleans()):
            choices = draw(st.lists(st.sampled_from(people), min_size=2, unique=True))
            question["candidates"] = choices
    return question | {"answer": draw(st.none() | st.sampled_from(choices))}


@st.composite
def episodes(draw: st.DrawFn, number: int) -> Record:
    """A valid episode on a video of the sample."""
    first, last = sorted(draw(st.tuples(st.floats(0, 2), st.floats(2.5, LENGTH))))
    people = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    said = draw(utterances(people, first, last))
    asked = [draw(questions(f"e{number}/{index}", people, said)) for index in range(draw(st.integers(1, 5)))]
    return {
        "schema_version": "1.0",
        "episode_id": f"e{number}",
        "split": draw(st.none() | st.just("test")),
        "video": {"path": draw(st.sampled_from(VIDEOS)), "start": first, "end": last, "width": WIDTH, "height": HEIGHT},
        "speakers": [{"id": one, "name": draw(st.none() | NAMES)} for one in people],
        "utterances": said,
        "boxes": draw(st.lists(boxes(people, first, last), max_size=6)),
        "questions": [one for one in asked if one is not None],
    }


@st.composite
def files(draw: st.DrawFn) -> list[Record]:
    """The episodes of a file."""
    return [draw(episodes(number)) for number in range(draw(st.integers(1, 3)))]


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,  # the same files every time: what they find is not to depend on luck
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(files(), st.sampled_from(["--context=full", "--context=past"]), st.sampled_from(["none", "text", "overlay"]))
def test_every_question_of_a_valid_file_is_one_row_per_condition(
    records: list[Record], context: str, boxes_as: str
) -> None:
    with TemporaryDirectory() as folder:
        file = write(Path(folder) / "episodes.jsonl", records)
        checked = command("validate", str(file))
        assert checked.code == 0, checked.stdout
        event(f"{sum(len(one['questions']) for one in records)} questions")
        model: list[Any] = ["--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY), "--task", "all"]
        shown = ["--boxes-as", boxes_as, "--alignment", "both", "--frames", "2", context]
        done = command("run", str(file), *model, *shown, "--media-root", str(SAMPLE), "-o", str(Path(folder) / "out"))
        if not any(one["questions"] for one in records):
            assert_reported(done, 2, "the file has no questions; add some, or name another file")
            return
        assert done.code in (0, 3), done.stderr
        asked = [(one["id"], one["task"]) for record in records for one in record["questions"]]
        check_rows(done, asked, len(asked))
        assert [row["question_id"] for row in done.rows] == [name for name, _ in asked for _ in range(2)]
