"""Which version of a checkpoint on the hub is loaded, and what of it is in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from socialcli.api import load_model
from socialcli.errors import CheckpointError, UsageError
from socialcli.jobs.job import check_job
from socialcli.models.contract import LoadOptions
from socialcli.plugins.registry import registry
from socialcli.settings.run import RunSettings

from ..conftest import SAMPLE
from ..layouts.folders import into_cache
from .hub_server import COMMIT, Hub, running

FAMILY, ID = "internvl3", "owner/name"
FOLDER = SAMPLE / "checkpoints" / FAMILY
FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, without a network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def test_a_revision_is_a_commit_a_branch_or_a_tag(cache: Path) -> None:
    first, second = into_cache(FOLDER, cache, ID, FIRST, main=False), into_cache(FOLDER, cache, ID, SECOND)
    (cache / "models--owner--name" / "refs" / "v1.0").write_text(FIRST)
    assert load_model(FAMILY, ID, revision=FIRST).folder == first
    assert load_model(FAMILY, ID, revision="v1.0").folder == first
    assert load_model(FAMILY, ID).folder == second
    with pytest.raises(CheckpointError, match=r"does not hold it; fetch it with .* --revision v2\.0"):
        load_model(FAMILY, ID, revision="v2.0")


def test_the_only_version_needs_no_name(cache: Path) -> None:
    snapshot = into_cache(FOLDER, cache, ID, FIRST, main=False)
    assert load_model(FAMILY, ID).folder == snapshot


def test_another_version_than_the_main_one_is_not_taken_for_it(cache: Path) -> None:
    into_cache(FOLDER, cache, ID, FIRST, main=False)
    (cache / "models--owner--name" / "refs" / "main").write_text(SECOND)
    with pytest.raises(CheckpointError, match="the hub's cache does not hold it"):
        load_model(FAMILY, ID)
    assert load_model(FAMILY, ID, revision=FIRST).folder is not None


def test_of_several_versions_one_must_be_chosen(cache: Path) -> None:
    for commit in (FIRST, SECOND):
        into_cache(FOLDER, cache, ID, commit, main=False)
    with pytest.raises(CheckpointError, match=f"holds 2 versions of it .* choose with --revision: {FIRST}, {SECOND}"):
        load_model(FAMILY, ID)


def test_a_part_of_a_checkpoint_is_told(cache: Path) -> None:
    snapshot = into_cache(FOLDER, cache, ID)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(
        CheckpointError, match=r"only a part of it, without model\.safetensors; `hf download owner/name`"
    ):
        load_model(FAMILY, ID)
    spec = registry().model(FAMILY).item
    assert spec.load_checked(LoadOptions(ID, weights=False)).folder == snapshot  # `plan` and `inspect` need no weights


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine that has the sample's checkpoint."""
    with running(hub := Hub(FOLDER)):
        hub.patch(monkeypatch)
        yield hub


def test_a_checkpoint_is_downloaded_once(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = cache / "models--owner--name" / "snapshots" / COMMIT
    assert load_model(FAMILY, ID).folder == snapshot
    assert sorted(hub.fetched) == sorted(file.name for file in FOLDER.iterdir())
    assert hub.fetched[-1] == "model.safetensors"
    hub.fetched.clear()
    assert load_model(FAMILY, ID).folder == snapshot
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert load_model(FAMILY, ID).folder == snapshot
    assert hub.fetched == []


def test_what_will_not_be_loaded_is_not_downloaded(hub: Hub) -> None:
    with pytest.raises(CheckpointError, match="load it with --model internvl3"):
        load_model("qwen2.5-vl", ID)
    registry().model(FAMILY).item.load_checked(LoadOptions(ID, weights=False))
    assert "config.json" in hub.fetched and "model.safetensors" not in hub.fetched


def test_a_hub_that_is_down_does_not_matter_where_the_cache_is_whole(hub: Hub) -> None:
    there = load_model(FAMILY, ID).folder
    for status in (429, 503):
        hub.status = status
        assert load_model(FAMILY, ID).folder == there


def test_a_folder_has_no_revisions(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--revision v1: checkpoint .* is a folder, which has one version only"):
        load_model(FAMILY, FOLDER, revision="v1")
    settings = RunSettings.of(
        episodes=str(SAMPLE / "episodes.jsonl"), model=FAMILY, tasks=("coref",), checkpoint=str(FOLDER), revision="v1"
    )
    with pytest.raises(UsageError, match=r"--revision v1: --checkpoint .* is a folder; only a hub id has revisions"):
        check_job(settings, registry())


def test_a_run_tells_the_revision_and_hands_it_on() -> None:
    settings = RunSettings.of(
        episodes=str(SAMPLE / "episodes.jsonl"), model=FAMILY, tasks=("coref",), revision="v1", allow_links=True
    )
    job = check_job(settings, registry())
    assert job.source == "internvl3 from OpenGVLab/InternVL3-8B-hf at v1"
    assert (job.load_options.revision, job.load_options.allow_links) == ("v1", True)
    assert job.load_options.other_models["qwen2_5_vl"] == "load it with --model qwen2.5-vl"
