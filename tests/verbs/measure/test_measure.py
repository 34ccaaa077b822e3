"""`socialcli measure` on the sample, with the tiny checkpoints of all three families."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from socialcli.alignment.attention import Alignment
from socialcli.alignment.head_attention import AttentionGauge
from socialcli.alignment.head_stats import HeadFigures
from socialcli.api import ask, open_clip
from socialcli.errors import Terminated
from socialcli.inference import attention_pass
from socialcli.plugins.registry import registry
from socialcli.results.heads import read_heads
from socialcli.settings.run import RunSettings
from socialcli.verbs.measure.attention_table import figure_columns
from socialcli.verbs.measure.totals import EpisodeMeasurement
from socialcli.verbs.measure.work import MeasureRequest, measure

from ...conftest import SAMPLE, sample_episodes, tiny_model
from ..runs import FAMILY, Record, Row, Run, command, record, write

KEPT = ["measured.parquet", "measured_inputs.json"]
FILES = ["attention.parquet", "heads.parquet", "heatmap.png", "measure.json", *KEPT, "shift.png"]
LAYERS, HEADS, FRAMES = 4, 4, 4
CHOSEN = range(1, 3)

SampleMeasure = Callable[..., Run]


def run_measure(episodes: Path, output: Path, *options: str, family: str = FAMILY) -> Run:
    """`socialcli measure` on a family's sample checkpoint; what `options` name wins."""
    model = ["--model", family, "--checkpoint", str(SAMPLE / "checkpoints" / family), "--media-root", str(SAMPLE)]
    few = ["--task", "all", "--frames", str(FRAMES)]
    return command("measure", str(episodes), *model, *few, "-o", str(output), *options)


def small(index: int, questions: int = 2) -> Record:
    """An episode of the sample with its first questions."""
    episode = record(index)
    return {**episode, "questions": episode["questions"][:questions]}


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_pictures_are_in_the_format_that_is_named(kind: str, begins: bytes, tmp_path: Path) -> None:
    file = write(tmp_path / "episodes.jsonl", [small(0, questions=1)])
    done = run_measure(file, tmp_path / "out", "--figure-format", kind)
    assert done.code == 0, done.stderr
    pictures = [path for path in done.output.iterdir() if path.stem in ("heatmap", "shift")]
    assert sorted(path.name for path in pictures) == [f"heatmap.{kind}", f"shift.{kind}"]
    assert all(path.read_bytes().startswith(begins) for path in pictures)


def rows_of(done: Run) -> list[Row]:
    return pq.read_table(done.output / "attention.parquet").to_pylist()


def manifest_of(done: Run) -> Record:
    found: Record = json.loads((done.output / "measure.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def measurement(tmp_path_factory: pytest.TempPathFactory) -> SampleMeasure:
    """Measure five questions of two sample episodes, each way once."""
    file = write(tmp_path_factory.mktemp("in") / "episodes.jsonl", [small(0, 2), small(1, 3)])

    @cache
    def done(family: str, *options: str) -> Run:
        result = run_measure(file, tmp_path_factory.mktemp("out"), *options, family=family)
        assert result.code == 0, result.stderr
        return result

    return done


def gauged(family: str, index: int, questions: int) -> HeadFigures:
    """The figures of an episode's first questions, taken without the command."""
    model = tiny_model(family)
    clip = open_clip(model, sample_episodes()[index], SAMPLE, frames=FRAMES)
    gauge = AttentionGauge(LAYERS, HEADS)
    prompts = [ask(clip, question) for question in clip.episode.questions[:questions]]
    attention_pass.gauge(clip.adapter, prompts, Alignment(), gauge)
    return gauge.figures()


def test_every_head_of_every_episode_has_the_figures_of_the_gauge(family: str, measurement: SampleMeasure) -> None:
    rows = rows_of(measurement(family))
    assert len(rows) == 2 * LAYERS * HEADS
    for place, questions in enumerate((2, 3)):
        own = rows[place * LAYERS * HEADS : (place + 1) * LAYERS * HEADS]
        assert {row["episode_id"] for row in own} == {sample_episodes()[place].episode_id}
        assert [(row["layer"], row["head"]) for row in own] == [(a, b) for a in range(LAYERS) for b in range(HEADS)]
        figures = gauged(family, place, questions)
        assert {row["prompts"] for row in own} == {questions}
        assert {(row["rows"], row["other_rows"]) for row in own} == {(figures.rows["own"], figures.rows["other"])}
        assert {(row["pairs"], row["other_pairs"]) for row in own} == {(figures.pairs["own"], figures.pairs["other"])}
        np.testing.assert_array_equal([row["active"] for row in own], figures.active.ravel())
        for stage, target in figures.attn_max:
            largest, mean = figure_columns(target, stage)
            np.testing.assert_allclose([row[largest] for row in own], figures.attn_max[stage, target].ravel(), 1e-6)
            np.testing.assert_allclose([row[mean] for row in own], figures.attn_mean[stage, target].ravel(), 1e-6)


def test_the_bias_raises_own_tokens_in_the_active_heads_and_changes_no_others(
    family: str, measurement: SampleMeasure
) -> None:
    for row in rows_of(measurement(family)):
        assert row["in_range"] is (row["layer"] in CHOSEN)
        if row["active"]:
            assert row["in_range"]
            assert row["attn_mean_after"] > row["attn_mean_before"] and row["attn_max_after"] > row["attn_max_before"]
        else:
            assert row["attn_mean_after"] == row["attn_mean_before"]
            assert row["other_max_after"] == row["other_max_before"]
    assert any(row["active"] == 1 for row in rows_of(measurement(family)))


def weighted(rows: Iterable[Row], column: str, weight: str) -> dict[tuple[int, int], float]:
    """A column's mean over episodes for each head."""
    sums: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        total = sums.setdefault((row["layer"], row["head"]), [0.0, 0.0])
        total[0] += row[weight] * row[column]
        total[1] += row[weight]
    return {place: total / count for place, (total, count) in sums.items()}


def test_the_summary_is_the_weighted_mean_of_the_rows(family: str, measurement: SampleMeasure) -> None:
    rows, manifest = rows_of(measurement(family)), manifest_of(measurement(family))
    best = weighted(rows, "attn_mean_before", "pairs")
    top = sorted(best, key=lambda place: -best[place])[:10]
    groups = {
        "all layers": list(best),
        "layers 1-2": [place for place in best if place[0] in CHOSEN],
        "top 10 heads": top,
    }
    assert [(item["group"], item["tokens"]) for item in manifest["summary"]] == [
        (group, tokens) for group in groups for tokens in ("own", "other")
    ]
    for item in manifest["summary"]:
        prefix, weights = ("attn", "") if item["tokens"] == "own" else ("other", "other_")
        heads = groups[item["group"]]
        assert item["heads"] == len(heads)
        for stage in ("before", "after"):
            for kind, weight in (("max", "rows"), ("mean", "pairs")):
                means = weighted(rows, f"{prefix}_{kind}_{stage}", weights + weight)
                expected = sum(means[place] for place in heads) / len(heads)
                assert item[f"attn_{kind}_{stage}"] == pytest.approx(expected, rel=1e-9)
        shares = weighted(rows, "active", "prompts")
        assert item["active"] == pytest.approx(sum(shares[place] for place in heads) / len(heads))
    assert [tuple(place) for place in manifest["top_heads"]] == top


def test_the_table_is_the_summary_in_the_units_of_the_published_one(family: str, measurement: SampleMeasure) -> None:
    done = measurement(family)
    lines = done.stdout.splitlines()[2:8]
    for line, item in zip(lines, manifest_of(done)["summary"], strict=True):
        scales = {"attn_max_before": 1e2, "attn_max_after": 1e2, "attn_mean_before": 1e4, "attn_mean_after": 1e4}
        assert line.startswith(item["group"])
        assert line.split()[-5:-1] == [f"{item[name] * scale:.2f}" for name, scale in scales.items()]
    assert "2 episodes (5 questions)" in done.stdout


def test_json_is_one_object_with_the_same_numbers(measurement: SampleMeasure) -> None:
    done = measurement(FAMILY, "--json")
    printed, manifest = json.loads(done.stdout), manifest_of(done)
    assert printed["output"] == str(done.output)
    for name in ("outcome", "exit_code", "counts", "summary", "top_heads", "decoder"):
        assert printed[name] == manifest[name]
    assert printed["decoder"] == {"layers": LAYERS, "heads": HEADS, "aligned": "1-2"}


def test_the_manifest_says_what_was_measured_and_how(measurement: SampleMeasure) -> None:
    manifest = manifest_of(measurement(FAMILY))
    assert (manifest["outcome"], manifest["exit_code"], manifest["problems"]) == ("done", 0, [])
    assert manifest["counts"] == {
        "episodes": 2,
        "episodes_measured": 2,
        "questions": 5,
        "questions_measured": 5,
        "questions_failed": 0,
        "unreadable": 0,
        "kept": 0,
    }
    assert manifest["settings"]["frames"] == FRAMES
    assert not {"alignment", "answer", "seed"} & set(manifest["settings"])
    assert manifest["model"]["name"] == FAMILY
    assert len(manifest["model"]["checkpoint_sha256"]) == len(manifest["input_sha256"]) == 64


def test_the_pictures_are_there_and_show_something(family: str, measurement: SampleMeasure) -> None:
    done = measurement(family)
    assert sorted(path.name for path in done.output.iterdir()) == FILES
    for name, size in (("heatmap.png", (2016, 628)), ("shift.png", (1980, 768))):
        with Image.open(done.output / name) as image:
            assert image.size == size
            assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 50


def test_heads_parquet_counts_over_all_episodes_and_can_be_chosen_from(family: str, measurement: SampleMeasure) -> None:
    done = measurement(family)
    shares = weighted(rows_of(done), "active", "prompts")
    for row in pq.read_table(done.output / "heads.parquet").to_pylist():
        assert row["prompts"] == 5
        assert row["active"] == pytest.approx(5 * shares[row["layer"], row["head"]])
    choice = read_heads(done.output / "heads.parquet")
    assert choice.heads == {place for place, share in shares.items() if share >= 0.5}
    assert choice.episode_ids == {episode.episode_id for episode in sample_episodes()[:2]}
    assert (choice.model, choice.shape) == (family, (LAYERS, HEADS))
    assert choice.checkpoint_sha256 == manifest_of(done)["model"]["checkpoint_sha256"]


def test_without_strength_the_figures_are_those_of_the_models_own_attention(measurement: SampleMeasure) -> None:
    raised = {(row["episode_id"], row["layer"], row["head"]): row for row in rows_of(measurement(FAMILY))}
    for row in rows_of(measurement(FAMILY, "--alpha", "0")):
        for name in ("attn_max", "attn_mean", "other_max", "other_mean"):
            assert row[f"{name}_after"] == pytest.approx(row[f"{name}_before"], rel=1e-5)
        if row["layer"] <= CHOSEN.start:  # nothing has been raised before
            same = raised[row["episode_id"], row["layer"], row["head"]]
            assert same["attn_mean_before"] == pytest.approx(row["attn_mean_before"], rel=1e-4)


def test_a_threshold_that_no_head_passes_leaves_all_heads_alone(measurement: SampleMeasure) -> None:
    done = measurement(FAMILY, "--lambda", "1")
    assert {row["active"] for row in rows_of(done)} == {0.0}
    assert all(row["attn_mean_after"] == row["attn_mean_before"] for row in rows_of(done))


@pytest.mark.parametrize(
    ("options", "inputs", "boxes_as"),
    [
        (("--inputs", "VLB"), "VLB", "text"),
        (("--boxes-as", "overlay"), "VLB", "overlay"),
        (("--context", "past"), "VL", "none"),
        (("--bias", "probability"), "VL", "none"),
    ],
)
def test_the_remedies_and_rules_of_a_run_can_be_measured(
    options: tuple[str, ...], inputs: str, boxes_as: str, measurement: SampleMeasure
) -> None:
    rows, plain = rows_of(measurement(FAMILY, *options)), rows_of(measurement(FAMILY))
    assert {(row["inputs"], row["boxes_as"]) for row in rows} == {(inputs, boxes_as)}
    assert [row["attn_mean_after"] for row in rows] != pytest.approx([row["attn_mean_after"] for row in plain])


def test_the_batch_size_changes_no_figure(measurement: SampleMeasure) -> None:
    for one, other in zip(rows_of(measurement(FAMILY)), rows_of(measurement(FAMILY, "--batch-size", "1")), strict=True):
        for name, value in one.items():
            assert other[name] == (pytest.approx(value, abs=1e-6) if isinstance(value, float) else value)


def test_an_episode_that_cannot_be_measured_costs_itself_alone(tmp_path: Path, measurement: SampleMeasure) -> None:
    lost, bare, mute = small(2), small(3), small(4)
    lost["video"]["path"] = "videos/nowhere.mp4"
    bare["boxes"] = []
    for line in mute["utterances"]:
        line["speaker"] = None
    mute["questions"] = [{**mute["questions"][0], "answer": None}]
    wrong = small(5)
    wrong["questions"][0]["task"] = 7
    file = write(tmp_path / "episodes.jsonl", [lost, small(0, 2), bare, mute, small(1, 3), wrong, "{"])
    done = run_measure(file, tmp_path / "out")
    assert done.code == 3
    named = [
        f"episode {lost['episode_id']!r}: 2 questions were not measured, {lost['questions'][0]['id']!r} first: Video",
        f"episode {bare['episode_id']!r}: 2 questions were not measured, {bare['questions'][0]['id']!r} first: Annot",
        f"episode {mute['episode_id']!r}: question {mute['questions'][0]['id']!r} was not measured: AnnotationError",
        f"episode {wrong['episode_id']!r}: question {wrong['questions'][0]['id']!r} was not measured: AnnotationError",
    ]
    problems = manifest_of(done)["problems"]
    for text in named:
        assert text in done.stderr and any(text in problem for problem in problems)
    counts = manifest_of(done)["counts"]
    assert (counts["episodes"], counts["episodes_measured"], counts["unreadable"]) == (6, 3, 1)
    assert (counts["questions"], counts["questions_failed"]) == (12, 6)
    assert "6 of 12 questions could not be measured and 1 row of the episodes file" in done.stderr
    good = [row for row in rows_of(done) if row["episode_id"] != wrong["episode_id"]]
    assert good == rows_of(measurement(FAMILY))


def test_as_many_failures_as_are_allowed_are_no_error(tmp_path: Path) -> None:
    lost = small(1)
    lost["video"]["path"] = "videos/nowhere.mp4"
    file = write(tmp_path / "episodes.jsonl", [small(0, 2), lost])
    assert run_measure(file, tmp_path / "out", "--max-failures", "50%").code == 0
    assert run_measure(file, tmp_path / "out", "--max-failures", "1", "--overwrite").code == 3


def test_nothing_measured_makes_no_pictures_and_no_choice(tmp_path: Path) -> None:
    done = run_measure(write(tmp_path / "episodes.jsonl", [{**small(0), "boxes": []}]), tmp_path / "out")
    assert done.code == 3
    assert done.stdout == "nothing was measured, so there are no figures to show\n"
    assert sorted(path.name for path in done.output.iterdir()) == ["attention.parquet", "measure.json", *KEPT]
    assert rows_of(done) == [] and manifest_of(done)["summary"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--inputs", "L"), "no attention to it to measure; use --inputs VL"),
        (("--layers", "3-9"), "reaches beyond the model's decoder, which has 4 layers"),
        (("--model", "llava-next"), "Did you mean 'llava-next-video'?"),
        (("--bias", "publshed"), "Did you mean 'published'?"),
        (("--frame-fit", "bend"), "--frame-fit 'bend' is not offered by"),
        (("--max-failures", "few"), "--max-failures 'few' is no limit"),
        (("--alignment", "off"), "No such option"),
        (("--media-root", "nowhere"), "there is no such folder"),
    ],
)
def test_a_usage_error_is_a_message_and_leaves_no_folder(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = run_measure(write(tmp_path / "episodes.jsonl", [small(0)]), tmp_path / "out", *options)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr and "Traceback" not in done.stderr
    assert not done.output.exists()


def test_a_file_that_is_no_episodes_file_is_invalid_input(tmp_path: Path) -> None:
    assert run_measure(write(tmp_path / "episodes.jsonl", []), tmp_path / "out").code == 4
    done = run_measure(write(tmp_path / "episodes.jsonl", ["{"]), tmp_path / "out")
    assert done.code == 4 and "no row of the file is an episode" in done.stderr
    assert not (done.output / "measure.json").exists()  # told before the model is loaded


def test_results_are_replaced_only_when_asked_and_those_of_a_run_never(tmp_path: Path) -> None:
    for name in ("predictions.parquet", "inputs.json", "set_aside.parquet"):
        (tmp_path / name).write_bytes(b"precious")
    file = write(tmp_path / "in.jsonl", [small(0, 1)])
    assert run_measure(file, tmp_path, "--frames", "1").code == 0
    again = run_measure(file, tmp_path, "--frames", "2")
    assert again.code == 2 and "frames: 1 there, 2 now" in again.stderr and "--overwrite" in again.stderr
    assert run_measure(file, tmp_path, "--frames", "2", "--overwrite").code == 0
    (tmp_path / "measure.json").unlink()
    lost = run_measure(file, tmp_path, "--frames", "2")
    assert lost.code == 2 and "attention.parquet" in lost.stderr and "--overwrite" in lost.stderr
    for name in ("predictions.parquet", "inputs.json", "set_aside.parquet"):
        assert (tmp_path / name).read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)], ids=["interrupted", "terminated"]
)
def test_what_was_measured_before_an_interrupt_is_kept(error: type[BaseException], code: int, tmp_path: Path) -> None:
    def one_and_no_more(episodes: Iterable[EpisodeMeasurement]) -> Iterable[EpisodeMeasurement]:
        yield next(iter(episodes))
        # At this moment the file says that the work is on.
        assert manifest_of(done)["outcome"] == "running"
        raise error

    done = Run(0, "", "", tmp_path / "out")
    settings: dict[str, Any] = {"episodes": str(write(tmp_path / "in.jsonl", [small(0, 2), small(1)]))}
    settings |= {"model": FAMILY, "tasks": ("all",), "checkpoint": str(SAMPLE / "checkpoints" / FAMILY)}
    settings |= {"media_root": str(SAMPLE), "frames": FRAMES}
    with pytest.raises(error):
        measure(MeasureRequest(RunSettings.of(**settings), done.output), registry(), one_and_no_more)
    manifest = manifest_of(done)
    assert (manifest["outcome"], manifest["exit_code"]) == ("interrupted", code)
    assert (manifest["counts"]["episodes_measured"], manifest["counts"]["questions_measured"]) == (1, 2)
    assert all(math.isfinite(item["attn_mean_after"]) for item in manifest["summary"])
    assert sorted(path.name for path in done.output.iterdir()) == ["measure.json", "measured_parts"]
    (part,) = (done.output / "measured_parts").iterdir()
    assert [row["prompts"] for row in pq.read_table(part).to_pylist()] == [2]


def test_heads_that_cannot_be_aligned_have_no_gaze_score_to_be_chosen_by(tmp_path: Path) -> None:
    family = "gemma-4"  # its last layers share the keys of earlier ones
    file = write(tmp_path / "episodes.jsonl", [small(0, questions=8)])
    done = run_measure(file, tmp_path / "measured", family=family)
    assert done.code == 0, done.stderr
    alignable = set(tiny_model(family).alignable_layers)
    scores = pq.read_table(done.output / "heads.parquet").to_pylist()
    assert {row["layer"] for row in scores if row["gaze"] is not None} == alignable
    assert {row["layer"] for row in scores} > alignable
    choice = read_heads(done.output / "heads.parquet", limit=10, rank="gaze")
    assert {layer for layer, _ in choice.heads} <= alignable
