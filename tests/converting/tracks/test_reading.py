"""Files of tracks are recognized by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.converting.report import Report, SourceError
from socialcli.converting.tracks.reading import read_tracks

from .footage import clip, read, saved
from .test_coco import annotation, coco
from .test_cvat import box, export, track
from .test_label_studio import keyframe, region, task


def test_names_of_files_do_not_matter(tmp_path: Path) -> None:
    footage = clip(tmp_path)
    for number, file in enumerate(
        (
            saved(tmp_path, coco(annotation(10, 3)), "a.txt"),
            saved(tmp_path, [task(region("3", keyframe(1, 0, enabled=False)))], "b"),
            export(tmp_path, track(3, box(0, 0))).rename(tmp_path / "c.csv"),
        )
    ):
        assert [(one.id, len(one.boxes)) for one in read(file, footage)] == [("3", 1)], number


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_obstacle(codec: str, tmp_path: Path) -> None:
    footage = clip(tmp_path)
    file = saved(tmp_path, coco(annotation(10, 3)))
    file.write_text("\n " + file.read_text(encoding="utf-8"), encoding=codec)
    assert len(read(file, footage)) == 1
    xml = export(tmp_path, track(0, box(0, 0)))
    xml.write_text(xml.read_text(encoding="utf-8").replace("utf-8", codec.removesuffix("-sig")), encoding=codec)
    assert len(read(xml, footage)) == 1


@pytest.mark.parametrize("text", ["1,3,2,2,9,9,1\n", "track,time,x0,y0,x1,y1\n", "", "[broken"])
def test_rows_are_left_to_others(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text, encoding="utf-8")
    if text.startswith("["):
        with pytest.raises(SourceError, match=r"a\.csv:1: is not JSON"):
            read_tracks(file, clip(tmp_path), Report(False))
    else:
        assert read_tracks(file, clip(tmp_path), Report(False)) is None


def test_unknown_json_and_archives_say_what_is_read(tmp_path: Path) -> None:
    detections = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]
    values: tuple[object, ...] = ([], {}, [1], {"annotations": []}, detections)
    for value in values:
        with pytest.raises(SourceError, match=r"neither an export of Label Studio.* nor a COCO file of a video"):
            read(saved(tmp_path, value), clip(tmp_path))
    archive = tmp_path / "annotations.zip"
    archive.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(SourceError, match="unpack it"):
        read(archive, clip(tmp_path))
