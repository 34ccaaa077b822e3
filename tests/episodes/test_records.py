from __future__ import annotations

import copy
from typing import Any

from socialcli.episodes.records import Episode

from .samples import record


def nulls_for_absent(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: nulls_for_absent(item) for key, item in value.items()} | (
            {"name": None} if value.get("id") == "s2" else {}
        )
    return [nulls_for_absent(item) for item in value] if isinstance(value, list) else value


def floats_for_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: floats_for_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [floats_for_integers(item) for item in value]
    return float(value) if isinstance(value, int) else value


def test_null_is_absent_and_an_integer_is_the_number_it_is() -> None:
    episode = Episode.from_record(record())
    for variant in (nulls_for_absent(record()), floats_for_integers(record())):
        assert repr(Episode.from_record(variant)) == repr(episode)


def test_a_record_comes_back_without_its_nulls() -> None:
    expected = copy.deepcopy(record())
    del expected["speakers"][2]["name"], expected["utterances"][1]["speaker"], expected["questions"][4]["answer"]
    assert Episode.from_record(record()).to_record() == expected
