"""What holds for every converter: no torch, flat memory, and the list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from socialcli.cli import main

from .mmsi import TRAINED, TRAINED_LABELLED, person, release, save
from .sources import write

PEAK = """
import resource, sys
from socialcli.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
heavy = sorted({"torch", "transformers", "peft"} & set(sys.modules))
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, *heavy, file=sys.stderr)
"""


def peak(*words: object) -> tuple[int, int, list[str]]:
    """Exit code, peak memory in kilobytes, and the heavy modules of a command in a process of its own."""
    command = [sys.executable, "-c", PEAK, *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    code, kilobytes, *heavy = done.stderr.split("\n")[-2].split()
    return int(code), int(kilobytes), heavy


def test_the_converters_are_listed() -> None:
    result = CliRunner().invoke(main, ["convert", "--help"])
    assert all(name in result.stdout for name in ("tvqa-plus", "mmsi", "online-mmsi", "tracks"))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_games(tmp_path: Path) -> None:
    """10,800 questions in 900 games take what 120 in 10 take; no converter needs torch."""
    release(tmp_path)
    shared = [[person(number, (100, 50), (200, 50), (100, 250)) for number in range(3)] for _ in range(80)]
    save(tmp_path / "keypoints" / "vid1_Game1.npy", shared)
    games = [f"vid1_Game1_{number}" for number in range(900)]
    for name in games:
        write(tmp_path / "transcripts" / f"{name}.txt", TRAINED)
        write(tmp_path / "labeled" / f"{name}.txt", TRAINED_LABELLED)
        (tmp_path / "keypoints" / f"{name}.npy").symlink_to("vid1_Game1.npy")
    folders = [
        word for name in ("transcripts", "labeled", "meta", "keypoints") for word in (f"--{name}", tmp_path / name)
    ]
    peaks = []
    for count in (10, 900):
        split = write(tmp_path / f"split{count}.json", {"train": games[:count]})
        output = tmp_path / f"e{count}.parquet"
        code, kilobytes, heavy = peak("convert", "mmsi", *folders, "--split", split, "-o", output, "-q", "--json")
        assert (code, heavy) == (0, [])
        peaks.append(kilobytes)
    assert peaks[1] < 1.25 * peaks[0]


def test_10_000_questions_of_tvqa_plus_fit_in_little_memory(tmp_path: Path) -> None:
    box = {"img_id": 7, "top": 10, "left": 20, "width": 100, "height": 200, "label": "Sheldon"}
    answers = {f"a{index}": f"answer {index}" for index in range(5)} | {"answer_idx": "3"}
    record = {"q": "Where ?", "ts": [1, 2], **answers}
    records = [
        record | {"qid": number, "vid_name": f"clip{number // 7}", "bbox": {"7": [box] * 6}} for number in range(10_000)
    ]
    source = write(tmp_path / "tvqa_plus_train.json", records)
    size = source.stat().st_size / 1024
    small = write(tmp_path / "small.json", records[:70])
    words = ("--frames", tmp_path / "frames", "-o", tmp_path / "e.parquet", "--overwrite", "-q", "--json")
    _, base, _ = peak("convert", "tvqa-plus", small, *words)
    code, kilobytes, heavy = peak("convert", "tvqa-plus", source, *words)
    assert (code, heavy) == (0, [])
    assert kilobytes - base < 12 * size  # what the annotations themselves take in Python, and no copy of the episodes


def test_json_tells_everything(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["convert", *map(str, release(tmp_path)), "-o", str(tmp_path / "e.jsonl"), "--json"]
    )
    account = json.loads(result.stdout)
    assert account["output"] == str(tmp_path / "e.jsonl")
    assert account["found"]["episodes"] == 9 and account["found"]["questions of coref"] == 5
    assert account["notes"]["games whose video is missing"] == 2
    assert f"wrote {tmp_path / 'e.jsonl'}" in result.stderr
