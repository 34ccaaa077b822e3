from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socialcli.errors import InvalidInputError, UsageError
from socialcli.jobs.job import Job, check_job
from socialcli.plugins.registry import registry

from ..conftest import SAMPLE
from ..results.samples import settings


def job(**changes: Any) -> Job:
    asked = settings(**{"episodes": str(SAMPLE / "episodes.jsonl"), "model": "internvl3", **changes})
    return check_job(asked, registry())


def test_everything_but_the_model_is_found() -> None:
    found = job(tasks=("all",))
    assert set(found.tasks) == set(registry().tasks())
    assert [row.row for row in found.episodes] == list(range(1, 15))


def test_the_identity_of_the_model_before_it_is_loaded() -> None:
    identity = job().identity
    assert (identity.name, identity.checkpoint) == ("internvl3", "OpenGVLab/InternVL3-8B-hf")
    assert identity.distribution == "socialcli"
    assert identity.checkpoint_sha256 is identity.device is None
    assert job(checkpoint=str(SAMPLE)).identity.checkpoint == str(SAMPLE)


def test_an_answer_mode_that_nobody_provides_is_a_usage_error() -> None:
    assert job(answer="generate").answer_mode.name == "generate"
    with pytest.raises(UsageError, match="there is no answer mode 'guess'"):
        job(answer="guess")


@pytest.mark.parametrize("checkpoint", ["owner/name", "name"])
def test_what_may_be_on_the_hub_is_left_to_the_adapter(checkpoint: str) -> None:
    assert job(checkpoint=checkpoint).load_options.checkpoint == checkpoint


@pytest.mark.parametrize("checkpoint", ["/models/x", "./x", "../x", "~/x", "models/of/mine"])
def test_a_folder_of_weights_that_is_missing(tmp_path: Path, checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="there is no such folder"):
        job(checkpoint=checkpoint)


def test_a_file_of_another_kind_is_seen_in_its_first_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    with pytest.raises(InvalidInputError, match="does not hold episodes"):
        job(episodes=str(tmp_path / "x.parquet"))
