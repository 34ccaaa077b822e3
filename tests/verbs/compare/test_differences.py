from __future__ import annotations

from pathlib import Path
from typing import Any

from socialcli.results.predictions import Prediction
from socialcli.stats.sources import Source
from socialcli.verbs.compare.conditions import Side, Wanted, chosen_sides
from socialcli.verbs.compare.differences import differences, known_by_manifest

from ...results.folders import answered, leave, of_earlier_version
from ...results.samples import settings

A = {"settings": {"frames": 8, "layers": "auto", "seed": 0, "device": "auto"}, "model": {"device": "cpu"}}


def sides(folder: Path, a: list[Prediction], b: list[Prediction], *manifests: dict[str, Any]) -> tuple[Side, Side]:
    of_a, of_b = manifests or ({}, {})
    sources = Source.find(leave(folder / "a", a, **of_a)), Source.find(leave(folder / "b", b, **of_b))
    ((one, other),) = chosen_sides(*sources, Wanted(), Wanted())
    return one, other


def test_columns_of_the_rows_tell(tmp_path: Path) -> None:
    found = sides(tmp_path, answered("1"), answered("1", inputs="L", model="internvl3"))
    assert differences(*found) == {"model": ("qwen2.5-vl", "internvl3"), "inputs": ("VLB", "L")}
    assert not known_by_manifest(*found)


def test_the_strength_differs_only_between_aligned_sides(tmp_path: Path) -> None:
    strong = answered("1", aligned=True, alpha=2.0)
    assert differences(*sides(tmp_path, answered("1"), strong)) == {"alignment": (False, True)}
    assert differences(*sides(tmp_path, answered("1", aligned=True), strong)) == {"alpha": (1.0, 2.0)}


def test_manifests_tell_what_the_rows_do_not(tmp_path: Path) -> None:
    b = {
        "settings": {"frames": 16, "layers": "1-2", "seed": 4, "device": "cuda", "limit": 5},
        "model": {"device": "cuda:0", "dtype": "bfloat16"},
        "input_sha256": "f" * 64,
        "versions": {"torch": "2.9"},
    }
    rows = answered("1", aligned=True)
    found = sides(tmp_path, rows, rows, {**A, "versions": {"torch": "2.8"}}, b)
    assert known_by_manifest(*found)
    assert differences(*found) == {
        "frames": (8, 16),
        "device": ("cpu", "cuda:0"),
        "limit": (None, 5),
        "dtype": (None, "bfloat16"),
        "input_sha256": (None, "f" * 64),
        "torch": ("2.8", "2.9"),
    }


def test_an_earlier_version_had_the_defaults_of_what_it_did_not_record(tmp_path: Path) -> None:
    rows = answered("1", aligned=True)
    now = {"settings": settings(alignment="on").as_record(), "model": {"name": "internvl3", "merged": False}}
    later = ("heads_rank", "permute", "permute_seed", "allow_links")
    before = {name: value for name, value in now["settings"].items() if name not in later}
    one = Source.find(of_earlier_version(leave(tmp_path / "a", rows, settings=before, model={"name": "internvl3"})))
    other = Source.find(leave(tmp_path / "b", rows, **now))
    wanted = Wanted.parse("--condition-a", ["steer=speaker", "heads_by=dynamic"])
    ((a, b),) = chosen_sides(one, other, wanted, wanted)
    assert differences(a, b) == differences(b, a) == {}
    now["settings"] |= {"permute": 3, "box_gap": 2.0}
    ((a, b),) = chosen_sides(one, Source.find(leave(tmp_path / "b", rows, **now)), wanted, wanted)
    assert differences(a, b) == {"box_gap": (1.0, 2.0), "permute": (None, 3)}


def test_one_manifest_alone_tells_no_difference(tmp_path: Path) -> None:
    found = sides(tmp_path, answered("1"), answered("1"), A, {})
    assert (differences(*found), known_by_manifest(*found)) == ({}, False)
