from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from socialcli.errors import UsageError
from socialcli.files import write_json
from socialcli.jobs.grid import OPTIONS
from socialcli.jobs.splits import Splits
from socialcli.verbs.sweep.choice import FIGURES
from socialcli.verbs.sweep.files import FIELDS, SETTINGS, SweepFolder, settings_in

from ...conftest import ROOT
from ...results.samples import settings
from .sweeps import DECODER, answered, grid, sweep_of, table_of

PAGE = ROOT / "docs" / "sweep.md"
SPLITS = Splits("validation", ("test",))
GRID = grid()
ASKED = GRID.settings(DECODER)


def test_sweep_json_holds_the_choice_and_what_it_was_made_from(tmp_path: Path) -> None:
    table = table_of(answered(lambda task, split, setting, question: setting.alpha == 0.5, ASKED), ASKED)
    write_json(tmp_path / "sweep.json", sweep_of(table, SPLITS, GRID).as_record())
    record = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert tuple(record) == FIELDS and tuple(record["settings"]) == SETTINGS
    values = {"alpha": [0.0, 0.5, 1.0], "lambda": [5e-5], "layers": ["auto"], "bias": ["published"]}
    assert record["grid"] == {
        **values,
        "heads_by": ["dynamic"],
        "max_heads": [None],
        "steer": ["speaker"],
        "balance": [0.5],
    }
    assert (record["combinations"], len(record["conditions"])) == (3, 3)
    assert record["conditions"][0] == dict.fromkeys(OPTIONS)
    assert record["splits"] == {"validation": "validation", "test": ["test"]}
    (best,) = record["best"]
    assert best["setting"] == {
        "alpha": 0.5,
        "lambda": 5e-5,
        "layers": "10-19",
        "bias": "published",
        "heads_by": "dynamic",
        "max_heads": None,
        "steer": "speaker",
        "balance": None,
    }
    (test,) = best["test"]
    assert (test["split"], test["chosen"], test["plain"]) == ("test", 1.0, 0.0)
    (task,) = test["tasks"]
    assert task["task"] == "target" and tuple(task["chosen"]) == tuple(task["plain"]) == FIGURES
    assert task["chosen"]["n"] == task["chosen"]["correct"] == 12 and task["chosen"]["episodes"] == 6
    assert 0.6 < task["chosen"]["ci_low"] < 0.8 and task["chosen"]["ci_high"] == 1
    assert task["p"] == test["p"] == 2 / 2**6 and task["p_mcnemar"] == pytest.approx(2 / 2**12)
    assert best["validation"]["p"] is None  # the best of many was chosen there


def test_the_settings_of_a_sweep_are_those_of_a_run_but_for_what_it_goes_through() -> None:
    left = set(settings().as_record()) - set(SETTINGS)
    runs_own = {"heads", "heads_rank", "heads_min_share"}
    runs_own |= {"split", "check_invariance", "timeout_per_question"}
    runs_own |= {"more_episodes", "permute", "permute_seed", "regions", "region_share"}
    assert left == {"alignment", *OPTIONS, *runs_own}


def test_conditions_of_earlier_versions_are_those_of_the_method() -> None:
    names = ("alpha", "lambda", "layers", "bias")
    earlier = [dict(zip(names, values, strict=True)) for values in ([None] * 4, [0.5, 5e-5, "10-19", "published"])]
    assert settings_in({"conditions": earlier}) == ASKED[:2]
    assert settings_in({"conditions": [{"alpha": 1}]}) is None


def test_the_page_names_every_field() -> None:
    section = PAGE.read_text(encoding="utf-8").split("\n### sweep.json\n")[1]
    table = re.findall(r"^\| `(\w+)` \|", section.split("\n\n`best`")[0], re.MULTILINE)
    assert tuple(table) == FIELDS


def test_earlier_results_of_a_sweep_or_a_run_are_not_replaced_unasked(tmp_path: Path) -> None:
    for name in ("sweep.json", "alpha.png", "run.json"):
        folder = SweepFolder(tmp_path / name.replace(".", "-"))
        folder.prepare(overwrite=False)
        (folder.path / name).write_bytes(b"precious")
        (folder.path / "notes.md").write_bytes(b"mine")
        with pytest.raises(UsageError, match=rf"{name}.*--overwrite"):
            folder.check(overwrite=False)
        folder.prepare(overwrite=True)
        assert [path.name for path in folder.path.iterdir()] == ["notes.md"]
