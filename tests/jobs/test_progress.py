from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from socialcli.episodes.reading import EpisodeRow
from socialcli.jobs import progress
from socialcli.jobs.progress import FailureLog, Heartbeat, shown
from socialcli.logs import _JsonLines
from socialcli.results.predictions import Prediction

from ..results.samples import failed, plain, prediction

EPISODE = EpisodeRow(7, "e.jsonl", None, (), None, ())


def test_the_rows_pass_in_order_with_a_line_now_and_then_also_while_one_takes_long(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.01)
    rows = [prediction(question_id="q1"), failed(question_id="q2")]

    def slow() -> Iterator[Prediction]:
        yield rows[0]
        while len(caplog.messages) < 3:
            time.sleep(0.001)
        yield rows[1]

    with caplog.at_level(logging.INFO, "socialcli"):
        assert list(shown(slow())) == rows
    logged = len(caplog.messages)
    assert caplog.messages[2].startswith("1 answers, 0 failed, ")
    time.sleep(0.05)
    assert len(caplog.messages) == logged


def test_a_heartbeat_tells_what_is_left_and_when_it_ends(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 10.0, 40.0])  # the start, and the moments of the lines
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    heartbeat = Heartbeat(total=23)
    with caplog.at_level(logging.INFO, "socialcli"):
        heartbeat.log()
        heartbeat.add(prediction())
        heartbeat.add(failed())
        heartbeat.log()
    first, line = caplog.records
    assert first.getMessage() == "0 of 23 answers, 0 failed, 0.00 a second"
    assert json.loads(_JsonLines().format(first))["end"] is None
    assert line.getMessage().startswith("2 of 23 answers, 1 failed, 0.05 a second; the end is expected at 20")
    beat = json.loads(_JsonLines().format(line))
    assert (beat["event"], beat["done"], beat["left"], beat["failed"], beat["rate"]) == ("heartbeat", 2, 21, 1, 0.05)
    left = datetime.fromisoformat(beat["end"]) - datetime.fromisoformat(beat["time"])
    assert timedelta(seconds=418) <= left <= timedelta(seconds=422)


def test_the_rate_is_that_of_the_last_lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 100_000, 30))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(seconds)))
    heartbeat = Heartbeat(total=None)
    for _ in range(10_000):  # kept from an earlier night
        heartbeat.add(prediction())
    with caplog.at_level(logging.INFO, "socialcli"):
        for _ in range(progress.LINES_OF_A_RATE + 1):
            for _ in range(60):
                heartbeat.add(prediction())
            heartbeat.log()
    assert caplog.messages[0].endswith(" 335.33 a second")
    assert caplog.messages[-1].endswith(" 2.00 a second")


def test_a_quick_run_writes_no_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "socialcli"):
        list(shown([prediction()] * 100))
    assert caplog.messages == []


def test_a_failure_is_reported_once_for_all_questions_and_conditions(caplog: pytest.LogCaptureFixture) -> None:
    rows = [failed(question_id=name) for name in ("q1", "q1", "q2", "q2")]
    FailureLog().warn(EPISODE, [*rows, plain()])
    assert caplog.messages == ["e.jsonl:7: 2 questions failed, 'q1' first: VideoError: clip.mp4: there is no such file"]


def test_a_failure_that_names_its_place_is_not_given_another(caplog: pytest.LogCaptureFixture) -> None:
    FailureLog().warn(EPISODE, [failed(error="AnnotationError: e.jsonl:7:questions[0].span: is wrong")])
    assert caplog.messages == ["question 'q1' failed: AnnotationError: e.jsonl:7:questions[0].span: is wrong"]


def test_many_failures_end_with_where_to_read_of_them(caplog: pytest.LogCaptureFixture) -> None:
    log = FailureLog()
    for index in range(100):
        log.warn(EPISODE, [failed(error=f"VideoError: {index}")])
    assert len(caplog.messages) == progress.MOST_WARNINGS + 1
    assert caplog.messages[-1].endswith("the column 'error' of predictions.parquet says why of each")
