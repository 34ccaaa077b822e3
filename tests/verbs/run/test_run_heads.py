"""`run --heads` and `run --check-invariance`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.results.heads import HeadStatistics, write_heads
from socialcli.results.manifest import ModelIdentity

from ...conftest import FAMILIES, SAMPLE
from ..runs import FAMILY, SAMPLE_FILE, run

LIMITED = ("--limit", "3", "--frames", "2")


def heads_file(
    folder: Path,
    active: np.ndarray,
    *,
    model: str = FAMILY,
    episode_ids: tuple[str, ...] = (),
    gaze: np.ndarray | None = None,
) -> str:
    """A heads.parquet of 10 prompts, in `active` (layers, heads) of which each head was active."""
    identity = ModelIdentity(
        name=model, adapter_version="1", distribution=None, distribution_version=None, checkpoint="somewhere"
    )
    statistics = HeadStatistics(
        active=active,
        prompts=10,
        model=identity,
        layers="0-3",
        settings={},
        episode_ids=episode_ids,
        gaze=gaze,
        gaze_prompts=0 if gaze is None else 10,
    )
    write_heads(folder / "heads.parquet", statistics)
    return str(folder / "heads.parquet")


def all_but(count: int, *chosen: tuple[int, int]) -> np.ndarray:
    active = np.full((4, 4), count)
    for place in chosen:
        active[place] = 10
    return active


def test_the_heads_of_the_middle_third_align_like_a_threshold_that_all_pass(tmp_path: Path) -> None:
    active = np.zeros((4, 4), dtype=np.int64)
    active[1:3] = 10
    fixed = run(SAMPLE_FILE, tmp_path / "fixed", *LIMITED, "--heads", heads_file(tmp_path, active)).validated()
    dynamic = run(SAMPLE_FILE, tmp_path / "dynamic", *LIMITED, "--lambda", "0").validated()
    assert (fixed.code, dynamic.code) == (0, 0)
    assert [row["scores"] for row in fixed.rows] == [row["scores"] for row in dynamic.rows]
    assert {row["active_heads"] for row in fixed.rows} == {1.0}
    assert {row["layers"] for row in fixed.rows} == {"1-2"}
    assert {row["heads"] for row in dynamic.rows} == {None}
    assert len({row["heads"] for row in fixed.rows} - {None}) == 1


def test_other_heads_are_another_answer_under_another_key(tmp_path: Path) -> None:
    runs = []
    for name, place in (("a", (0, 1)), ("b", (3, 2))):
        (tmp_path / name).mkdir()
        file = heads_file(tmp_path / name, all_but(4, place))
        runs.append(run(SAMPLE_FILE, tmp_path / name / "out", *LIMITED, "--heads", file).validated())
    assert all(row["active_heads"] == 0.25 for one in runs for row in one.rows)
    for a, b in zip(runs[0].rows, runs[1].rows, strict=True):
        assert a["scores"] != b["scores"]
        assert a["key"] != b["key"]
        assert a["heads"] != b["heads"]


def test_the_least_share_decides_which_heads_take_part(tmp_path: Path) -> None:
    file = heads_file(tmp_path, all_but(4, (0, 1)))
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--heads", file, "--heads-min-share", "0.4")
    assert {row["layers"] for row in done.rows} == {"0-3"}
    none = run(SAMPLE_FILE, tmp_path / "none", *LIMITED, "--heads", heads_file(tmp_path, np.full((4, 4), 3)))
    assert none.code == 2
    assert "no head was active in 50%" in none.stderr


def test_judging_heads_on_what_they_were_chosen_from_is_reported(tmp_path: Path) -> None:
    file = heads_file(tmp_path, all_but(0, (1, 1)), episode_ids=("kitchen-keys", "elsewhere"))
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--heads", file)
    assert done.code == 0
    (warning,) = done.manifest["warnings"]
    assert "not held out" in warning
    assert warning in done.stderr


def test_heads_by_gaze_are_the_largest_and_judging_them_on_their_own_episodes_is_reported(
    tmp_path: Path,
) -> None:
    gaze = np.arange(16).reshape(4, 4) / 100
    gaze[1, 2] = 0.9
    file = heads_file(tmp_path, all_but(0, (1, 1)), episode_ids=("kitchen-keys",), gaze=gaze)
    ranked = ("--heads", file, "--heads-rank", "gaze", "--max-heads", "2")
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, *ranked).validated()
    assert {(row["active_head_count"], row["layers"], row["heads_by"]) for row in done.rows} == {(2, "1-3", "fixed")}
    (warning,) = done.manifest["warnings"]
    assert "were chosen on 1 of the" in warning and "not held out" in warning


def test_a_file_without_gaze_scores_says_to_measure_again(tmp_path: Path) -> None:
    ranked = ("--heads", heads_file(tmp_path, all_but(0, (1, 1))), "--heads-rank", "gaze", "--max-heads", "2")
    refused = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, *ranked)
    assert refused.code == 2
    assert "no gaze scores" in refused.stderr and "socialcli measure --overwrite" in refused.stderr


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [("internvl3", (4, 4), "the heads are internvl3's"), (FAMILY, (28, 4), "28 layers with 4")],
)
def test_heads_of_another_model_are_refused(tmp_path: Path, model: str, shape: tuple[int, int], message: str) -> None:
    file = heads_file(tmp_path, np.full(shape, 10), model=model)
    refused = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--heads", file)
    assert refused.code == 2
    assert message in refused.stderr
    assert not (tmp_path / "out").exists()


def test_a_limit_on_heads_is_kept_told_and_part_of_the_key(tmp_path: Path) -> None:
    options = (*LIMITED, "--lambda", "0")
    whole = run(SAMPLE_FILE, tmp_path / "whole", *options).validated()
    limited = run(SAMPLE_FILE, tmp_path / "limited", *options, "--max-heads", "3").validated()
    assert {(row["active_head_count"], row["max_heads"]) for row in whole.rows} == {(8, None)}
    assert {(row["active_head_count"], row["max_heads"]) for row in limited.rows} == {(3, 3)}
    assert {row["active_heads"] for row in limited.rows} == {3 / 8}
    for one, other in zip(whole.rows, limited.rows, strict=True):
        assert one["scores"] != other["scores"]
        assert one["key"] != other["key"]


def test_a_limit_takes_the_first_of_a_fixed_choice(tmp_path: Path) -> None:
    file = heads_file(tmp_path, all_but(4, (2, 1), (1, 3)))
    limited = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--heads", file, "--max-heads", "1").validated()
    assert {(row["active_head_count"], row["layers"], row["heads_by"]) for row in limited.rows} == {(1, "1-1", "fixed")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--heads-by", "top"), "add --max-heads K"),
        (("--heads-by", "fixed"), "add --heads FILE"),
        (("--heads-by", "randon", "--max-heads", "2"), "random"),
        (("--heads-by", "all", "--heads", "heads.parquet"), "leave one out"),
        (("--steer", "both"), "both-ways"),
        (("--heads-rank", "gaze"), "--heads-rank gaze ranks the heads of a heads.parquet: add --heads FILE"),
    ],
)
def test_what_a_selector_or_a_mode_lacks_is_said(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    refused = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, *options)
    assert refused.code == 2
    assert message in refused.stderr


def test_how_often_the_bias_is_negative_stands_in_the_rows_and_in_the_tables(tmp_path: Path) -> None:
    world = SAMPLE / "world" / "episodes.parquet"
    options = ("--limit", "4", "--checkpoint", str(SAMPLE / "trained" / FAMILY), "--alignment", "both")
    published = run(world, tmp_path / "published", *options, tasks=("videoqa",)).validated()
    shares = [row["negative_bias"] for row in published.rows if row["alignment"]]
    assert all(0 < share < 1 for share in shares)
    assert {row["negative_bias"] for row in published.rows if not row["alignment"]} == {None}
    of_tables = {row["alignment"]: row["negative_bias"] for row in published.accuracy}
    assert of_tables == {False: None, True: pytest.approx(sum(shares) / len(shares))}
    assert "W < 0" in published.stdout
    floored = run(world, tmp_path / "floored", *options, "--bias", "floored", tasks=("videoqa",))
    assert {row["negative_bias"] for row in floored.rows if row["alignment"]} == {0.0}
    assert "W < 0" in floored.stdout


@pytest.mark.parametrize(
    ("option", "words"), [(("--max-heads", "0"), "--max-heads"), (("--max-heads", "few"), "--max-heads")]
)
def test_a_limit_that_is_none_is_a_usage_error(tmp_path: Path, option: tuple[str, str], words: str) -> None:
    refused = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, *option)
    assert (refused.code, words in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "warnings"),
    [
        (("--balance", "0.2"), ["--balance changes nothing with --steer speaker"]),
        (("--heads-seed", "3"), ["--heads-seed changes nothing with --heads-by dynamic"]),
        (("--heads-by", "all", "--max-heads", "3"), ["--max-heads changes nothing with --heads-by all"]),
        (("--heads-min-share", "0.3"), ["--heads-min-share changes nothing without --heads"]),
        (
            ("--alignment", "off", "--steer", "gaze", "--lambda", "1"),
            ["--steer changes nothing with --alignment off", "--lambda changes nothing with --alignment off"],
        ),
        (("--heads-by", "random", "--max-heads", "999"), ["--max-heads 999 sets no limit: the aligned layers have"]),
        (("--steer", "both-ways", "--balance", "0.2"), []),
    ],
)
def test_options_without_effect_are_warned_of(options: tuple[str, ...], warnings: list[str], tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, *options)
    assert done.code == 0
    for warning in warnings:
        assert warning in done.stderr
    assert done.stderr.count("changes nothing") + done.stderr.count("sets no limit") == len(warnings)


def test_a_setting_that_a_selector_does_not_heed_is_not_in_the_rows(tmp_path: Path) -> None:
    options = ("--heads-by", "all", "--max-heads", "3", "--lambda", "1e-3")
    plain = run(SAMPLE_FILE, tmp_path / "plain", *LIMITED, "--heads-by", "all")
    given = run(SAMPLE_FILE, tmp_path / "given", *LIMITED, *options)
    assert {(row["max_heads"], row["lambda"]) for row in given.rows} == {(None, 5e-5)}
    assert [row["key"] for row in given.rows] == [row["key"] for row in plain.rows]


def test_a_mode_that_biases_nothing_is_warned_of(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--steer", "gaze", tasks=("videoqa",))
    assert {row["active_head_count"] for row in done.rows} == {0}
    assert any("nothing that --steer gaze could bias" in warning for warning in done.manifest["warnings"])


def test_the_share_of_negative_biases_is_that_of_the_rule_not_of_the_modes_weights(tmp_path: Path) -> None:
    options = ("--limit", "4", "--checkpoint", str(SAMPLE / "trained" / FAMILY), "--steer", "gaze", "--bias", "floored")
    done = run(SAMPLE / "world" / "episodes.parquet", tmp_path / "out", *options, tasks=("target",))
    assert {row["negative_bias"] for row in done.rows} == {0.0}


def test_answers_of_a_version_without_the_newer_columns_are_kept(tmp_path: Path) -> None:
    first = run(SAMPLE_FILE, tmp_path / "out", *LIMITED)
    table = pq.read_table(first.output / "predictions.parquet")
    older = table.drop_columns(["max_heads", "active_head_count", "negative_bias"])
    pq.write_table(
        older.append_column("note", pa.array(["mine"] * older.num_rows)), first.output / "predictions.parquet"
    )
    again = run(SAMPLE_FILE, tmp_path / "out", *LIMITED).validated()
    assert (again.code, again.manifest["counts"]["kept"]) == (0, 3)
    assert [row["scores"] for row in again.rows] == table["scores"].to_pylist()
    assert {row["negative_bias"] for row in again.rows} == {None}


def test_the_seed_of_earlier_versions_is_taken_with_a_warning(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--seed", "7")
    assert done.code == 0
    assert "--seed no longer has an effect" in done.stderr
    assert "--seed" not in run(SAMPLE_FILE, tmp_path / "help", "--help").stdout


def test_the_former_name_of_a_rule_works_with_a_warning(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", *LIMITED, "--bias", "logit")
    assert done.code == 0
    assert {row["bias"] for row in done.rows} == {"floored"}
    assert "the bias rule 'logit' is now called 'floored'" in done.stderr


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_move_neither_with_the_batch_nor_with_the_kernel(family: str, tmp_path: Path) -> None:
    options = ("--limit", "5", "--frames", "2", "--alignment", "both", "--check-invariance", "4")
    done = run(SAMPLE_FILE, tmp_path / "out", *options, family=family, tasks=("videoqa", "coref")).validated()
    changes = done.manifest["invariance"]
    assert {change["answers"] for change in changes.values()} == {8}
    for change in changes.values():
        assert change["largest_score_change"] < 1e-4
        assert (change["changed_predictions"], change["failed"]) == ([], [])
    assert changes["eager_attention"]["largest_score_change"] > 0


def test_without_the_check_the_manifest_says_nothing_of_invariance(tmp_path: Path) -> None:
    assert run(SAMPLE_FILE, tmp_path / "out", *LIMITED).validated().manifest["invariance"] is None
