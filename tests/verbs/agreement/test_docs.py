"""The example of docs/agreement.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from socialcli.episodes.reading import read_episodes
from socialcli.episodes.writing import EpisodeWriter
from socialcli.perturbation.perturbation import Perturbation, perturbed

from ...conftest import ROOT, SAMPLE
from ..runs import command

PAGE = ROOT / "docs" / "agreement.md"
ERRORS = (Perturbation("wrong-speakers", 0.25), Perturbation("missing-labels", 0.5), Perturbation("box-jitter", 0.1))


def test_the_table_of_the_page_is_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "by-hand.parquet").symlink_to(SAMPLE / "world" / "episodes.parquet")
    monkeypatch.chdir(tmp_path)
    with EpisodeWriter(Path("automatic.parquet")) as writer:
        for row in read_episodes("by-hand.parquet"):
            assert row.episode is not None
            episode = replace(row.episode, questions=())
            for error in ERRORS:
                episode = perturbed(episode, error)
            writer.write(episode)
    done = command("agreement", "by-hand.parquet", "automatic.parquet")
    assert done.code == 0
    assert f"```text\n{done.stdout}```\n" in PAGE.read_text(encoding="utf-8")
