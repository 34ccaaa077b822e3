from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from socialcli.errors import UsageError
from socialcli.results.manifest import ModelIdentity
from socialcli.results.resume import FREE, check_same_numbers, check_same_settings, version_warnings
from socialcli.settings.alignment import Mode
from socialcli.settings.fields import Setting
from socialcli.settings.run import RunSettings, run_settings

from .samples import settings

FOLDER = Path("out")


def check(before: RunSettings, now: RunSettings) -> None:
    check_same_settings(FOLDER, {"settings": before.as_record()}, now)


def another(setting: Setting) -> Any:
    """A value of a setting that is not its default."""
    if setting.choices is not None:
        return next(one for one in setting.choices if one != setting.default)
    if setting.type is bool:
        return not setting.default
    if setting.number is not None and setting.word is None:
        return (setting.default or 0) + 1
    return "another"


HELD = [one for one in run_settings() if one.key not in FREE | {"more_episodes"}]
OTHER: dict[str, Any] = {one.parameter: another(one) for one in HELD} | {
    "tasks": ("target",),
    "layers": "all",
    "heads_min_share": 0.7,
    "max_heads": 8,
    "balance": 0.7,
    "region_share": 0.7,
    "permute": None,
}
NEEDED: dict[str, dict[str, Any]] = {
    "merge": {"adapter": "lora"},
    "heads_rank": {"heads": "heads.parquet", "max_heads": 4},
    "permute_seed": {"permute": 2},
}


def test_speed_checks_and_places_are_free_and_what_decides_answers_is_not() -> None:
    assert {
        *("batch_size", "workers", "device", "attn", "timeout_per_question", "max_failures", "check_invariance"),
        *("media_root", "limit", "allow_links", "min_coverage"),
    } <= FREE
    assert not FREE & {"alpha", "answer", "dtype", "frames", "split"}


@pytest.mark.parametrize("name", OTHER)
def test_another_setting_is_reported(name: str) -> None:
    needed = NEEDED.get(name, {})
    now = settings(**needed | {name: OTHER[name]})
    needed = needed | ({"permute": 4} if name == "permute" else {})  # more orders may be asked, fewer may not
    with pytest.raises(UsageError, match=rf"{name.rstrip('_')}: .* there, .* now.*--overwrite"):
        check(settings(**needed), now)


def test_free_settings_may_differ() -> None:
    check(settings(), settings(batch_size=3, workers=1, device="cpu", attn="math", max_failures="3"))


@pytest.mark.parametrize(
    ("before", "now", "fine"), [(3, 5, True), (3, None, True), (5, 3, False), (None, 3, False), (None, None, True)]
)
def test_a_limit_may_grow(before: int | None, now: int | None, fine: bool) -> None:
    if fine:
        check(settings(limit=before), settings(limit=now))
    else:
        with pytest.raises(UsageError, match="limit"):
            check(settings(limit=before), settings(limit=now))


@pytest.mark.parametrize(
    ("before", "now", "fine"),
    [("on", "both", True), ("off", "both", True), ("both", "on", False), ("both", "off", False), ("off", "on", False)],
)
def test_the_second_condition_may_come_to_the_first(before: Mode, now: Mode, fine: bool) -> None:
    if fine:
        check(settings(alignment=before), settings(alignment=now))
    else:
        with pytest.raises(UsageError, match=f'alignment: "{before}" there, "{now}" now'):
            check(settings(alignment=before), settings(alignment=now))


def test_the_bias_of_unaligned_answers_does_not_matter() -> None:
    check(settings(alignment="off"), settings(alignment="both", alpha=2.0, lambda_=1e-3, layers="all", max_heads=3))
    with pytest.raises(UsageError, match=r"alpha: 1.0 there, 2.0 now"):
        check(settings(alignment="on"), settings(alignment="both", alpha=2.0))
    with pytest.raises(UsageError, match="frames: 8 there, 4 now"):
        check(settings(alignment="off"), settings(alignment="both", frames=4))


@pytest.mark.parametrize(
    "changed", [{"steer": "gaze"}, {"heads_by": "all"}, {"heads_seed": 3}, {"balance": 0.2}, {"regions": "people"}]
)
def test_a_folder_of_an_earlier_version_has_the_defaults_of_newer_settings(changed: dict[str, Any]) -> None:
    newer = {
        "heads_by",
        "heads_rank",
        "heads_seed",
        "steer",
        "balance",
        "permute",
        "permute_seed",
        "regions",
        "region_share",
    }
    before = {name: value for name, value in settings().as_record().items() if name not in newer}
    check_same_settings(FOLDER, {"settings": before}, settings())
    check_same_settings(FOLDER, {"settings": {**before, "heads": "h.parquet"}}, settings(heads="h.parquet"))
    (name,) = changed
    with pytest.raises(UsageError, match=f"{name}: .* there, .* now"):
        check_same_settings(FOLDER, {"settings": before}, settings(**changed))


def test_orders_may_be_added_and_their_seed_is_theirs() -> None:
    check(settings(), settings(permute=2, permute_seed=3))
    check(settings(permute=2), settings(permute=5))
    with pytest.raises(UsageError, match="permute: 5 there, 2 now"):
        check(settings(permute=5), settings(permute=2))


def test_a_file_may_be_added_and_none_left_out() -> None:
    check(settings(), settings(more_episodes=("b.jsonl",)))
    check(settings(more_episodes=("b.jsonl",)), settings(more_episodes=("c.jsonl", "./b.jsonl")))
    with pytest.raises(UsageError, match="more_episodes"):
        check(settings(more_episodes=("b.jsonl",)), settings())


@pytest.mark.parametrize(
    ("name", "default", "other"),
    [
        ("positions", "trained", "library"),
        ("revision", "main", "v2"),
        ("checkpoint", "org/model", "org/else"),
        ("frame_fit", "pad", "crop"),
        ("max_pixels", 602_112, 400_000),
    ],
)
def test_a_default_that_is_named_is_no_other_setting(name: str, default: Any, other: Any) -> None:
    def check_with(before: RunSettings, now: RunSettings) -> None:
        check_same_settings(FOLDER, {"settings": before.as_record()}, now, defaults={name: default})

    plain, named = settings(), settings(**{name: default})
    for before, now in ((plain, named), (named, plain), (named, named)):
        check_with(before, now)
    for before, now in ((plain, settings(**{name: other})), (settings(**{name: other}), named)):
        with pytest.raises(UsageError, match=name):
            check_with(before, now)


def test_a_setting_that_an_older_version_did_not_have_is_no_difference() -> None:
    record = settings().as_record()
    del record["frame_fit"]
    check_same_settings(FOLDER, {"settings": record}, settings(frame_fit="pad"))


def test_other_versions_are_reported_once_and_stay_told() -> None:
    first = {"versions": {"torch": "2.11.0", "transformers": "5.17.0", "numpy": "2.0"}, "warnings": ["no clip"]}
    now = {"torch": "2.11.0", "transformers": "5.24.0", "numpy": "2.4"}
    (warning,) = version_warnings(first, now)
    assert warning == (
        "answers in the folder were made with transformers 5.17.0, and 5.24.0 is installed now; they are kept: "
        "--overwrite asks the questions again"
    )
    assert version_warnings({"versions": now, "warnings": [warning, "no clip"]}, now) == (warning,)
    assert version_warnings({"versions": now}, now) == ()
    assert version_warnings({}, now) == ()


def test_another_number_format_is_reported() -> None:
    model = ModelIdentity(
        name="x", adapter_version="1", distribution=None, distribution_version=None, checkpoint="c", dtype="bfloat16"
    )
    check_same_numbers(FOLDER, {"model": {"dtype": None}}, model)
    check_same_numbers(FOLDER, {"model": {"dtype": "bfloat16"}}, model)
    with pytest.raises(UsageError, match='dtype: "float32" there, "bfloat16" now'):
        check_same_numbers(FOLDER, {"model": {"dtype": "float32"}}, replace(model))
