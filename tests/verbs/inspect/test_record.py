from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from socialcli.episodes.records import Episode
from socialcli.schemas import load_schema
from socialcli.verbs.inspect.record import to_record
from tests.conftest import FAMILIES, ROOT, SAMPLE, sample_episodes, tiny_model

from .samples import inspection, of_every_episode, printed

PAGE = ROOT / "docs" / "inspect.md"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(load_schema("inspection"))
    return Draft202012Validator(load_schema("inspection"))


def test_what_is_printed_fulfils_the_schema(family: str, validator: Draft202012Validator) -> None:
    for record in of_every_episode(family):
        validator.validate(record)


@pytest.mark.parametrize(
    "options", [{"with_video": False}, {"boxes_as": "text"}, {"boxes_as": "overlay"}, {"frames": 1}, {"frames": 200}]
)
def test_every_condition_fulfils_the_schema(
    options: dict[str, Any], episode: Episode, validator: Draft202012Validator
) -> None:
    validator.validate(json.loads(json.dumps(to_record(inspection("qwen2.5-vl", episode, **options)))))


def test_the_schema_has_no_optional_field_and_takes_no_other(validator: Draft202012Validator) -> None:
    (record, *_) = of_every_episode("internvl3")
    for name in record:
        assert not validator.is_valid({key: value for key, value in record.items() if key != name})
    assert not validator.is_valid({**record, "more": 1})


def test_the_page_describes_every_field_in_its_order() -> None:
    tables, table = [], []
    for line in PAGE.read_text(encoding="utf-8").split("\n## The JSON object\n")[1].splitlines():
        if line.startswith("| `"):
            table.append(line.split("`")[1])
        elif table:
            tables.append(table)
            table = []
    fields = load_schema("inspection")["properties"]
    inner = [fields[name].get("items", fields[name])["properties"] for name in ("frames", "utterances", "grid")]
    plan = fields["plan"]["properties"]
    inner += [fields["boxes"]["items"]["properties"], plan, plan["biases"]["items"]["properties"]]
    assert tables == [list(fields), *map(list, inner)]


def test_token_spans_decode_to_label_and_words(family: str) -> None:
    tokenizer = tiny_model(family).processor.tokenizer
    for record in of_every_episode(family):
        for line in record["utterances"]:
            assert line["text"] == record["prompt"][slice(*line["characters"])]
            words = tokenizer.decode([record["token_ids"][token] for token in line["tokens"]])
            assert line["text"] in words
            assert len(words) <= len(line["text"]) + 2  # the space before, the line's end behind


def test_visual_tokens_are_named_by_one_id(family: str) -> None:
    for record in of_every_episode(family):
        tokens = np.array(record["grid"]["tokens"])
        shape = (record["grid"]["steps"], record["grid"]["height"], record["grid"]["width"])
        assert tokens.shape == shape == (len(record["grid"]["frames"]), *np.array(record["grid"]["cells"]).shape[:2])
        ids = np.array(record["token_ids"])
        assert set(ids[tokens.ravel()]) == {tiny_model(family).visual_token_id}
        assert (record["grid"]["first_token"], record["grid"]["last_token"]) == (tokens.min(), tokens.max())


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_inspected_without_weights_is_what_a_loaded_model_would_get(family: str) -> None:
    (record, *_) = of_every_episode(family)
    (episode, *_) = sample_episodes()
    assert json.loads(json.dumps(to_record(inspection(family, episode)))) == record


def test_past_context_knows_no_box_from_later() -> None:
    target = next(q for q in sample_episodes()[0].questions if q.task == "target")
    (record,) = printed(SAMPLE / "episodes.jsonl", "qwen2.5-vl", "--question", target.id, "--context", "past")
    (full,) = printed(SAMPLE / "episodes.jsonl", "qwen2.5-vl", "--question", target.id)
    (end,) = [line["end"] for line in full["utterances"] if line["id"] == target.utterance]
    assert end < full["frames"][-1]["time"]
    assert max(box["time"] for box in record["annotated_boxes"]) <= end
    assert max(frame["time"] for frame in record["frames"]) <= end
    assert max(line["end"] for line in record["utterances"]) == end
