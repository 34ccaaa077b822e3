"""Exports of CVAT for video 1.1."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from socialcli.converting.report import Report, SourceError
from socialcli.converting.tracks.cvat import SHAPES
from socialcli.converting.tracks.keyframes import TURNED
from socialcli.converting.tracks.names import track_names

from .footage import clip, read, rounded

META = """\
  <meta>
    <task>
      <id>4</id><name>talk</name><size>40</size><mode>interpolation</mode><overlap>5</overlap><bugtracker></bugtracker>
      <subset>default</subset><start_frame>0</start_frame><stop_frame>39</stop_frame><frame_filter></frame_filter>
      <labels>
        <label><name>person</name><color>#24b353</color><type>rectangle</type>
          <attributes><attribute><name>speaker</name><mutable>False</mutable><input_type>text</input_type>
            <default_value></default_value><values></values></attribute></attributes></label>
      </labels>
      <original_size><width>{width}</width><height>{height}</height></original_size>
      <source>talk.mp4</source>
    </task>
    <dumped>2026-01-05 10:15:34.105338+00:00</dumped>
  </meta>
"""


def box(frame: int, left: float, outside: int = 0, speaker: str | None = None, more: str = "") -> str:
    edges = f'xtl="{left:.2f}" ytl="10.00" xbr="{left + 20:.2f}" ybr="40.00"'
    stated = "" if speaker is None else f'      <attribute name="speaker">{speaker}</attribute>\n'
    flags = f'frame="{frame}" keyframe="1" outside="{outside}" occluded="0"'
    return f'    <box {flags} {edges} z_order="0"{more}>\n{stated}    </box>\n'


def track(number: int, *shapes: str, label: str = "person", more: str = "") -> str:
    return f'  <track id="{number}" label="{label}" source="manual"{more}>\n{"".join(shapes)}  </track>\n'


def export(folder: Path, *parts: str, size: tuple[int, int] = (128, 48), head: str = "") -> Path:
    file = folder / "annotations.xml"
    meta = META.format(width=size[0], height=size[1])
    whole = f'<?xml version="1.0" encoding="utf-8"?>\n{head}<annotations>\n  <version>1.1</version>\n{meta}'
    file.write_text(f"{whole}{''.join(parts)}</annotations>\n", encoding="utf-8")
    return file


def test_boxes_are_shown_until_they_are_outside(tmp_path: Path) -> None:
    shapes = (box(3, 0), box(4, 2), box(5, 4, outside=1), box(20, 40), box(21, 40, outside=1))
    (found,) = read(export(tmp_path, track(0, *shapes)), clip(tmp_path))
    assert (found.id, found.label, found.speaker) == ("0", "person", None)
    assert rounded(found) == [(0.3, (0, 10, 20, 40)), (0.4, (2, 10, 22, 40)), (2.0, (40, 10, 60, 40))]


def test_frames_between_are_interpolated(tmp_path: Path) -> None:
    """A task with every fifth frame, and one that has been trimmed to keyframes."""
    (found,) = read(export(tmp_path, track(0, box(0, 0), box(5, 10), box(10, 10, outside=1))), clip(tmp_path))
    assert [(time, edges[0]) for time, edges in rounded(found)] == [
        *((frame / 10, 2.0 * frame) for frame in range(5)),
        *((frame / 10, 10.0) for frame in range(5, 10)),
    ]


def test_boxes_are_scaled_to_the_video(tmp_path: Path) -> None:
    (found,) = read(export(tmp_path, track(0, box(0, 100)), size=(256, 96)), clip(tmp_path))
    assert rounded(found) == [(0.0, (50, 5, 60, 20))]
    with pytest.raises(SourceError, match=r"pictures of 48 x 128 pixels, but those of .*talk\.mp4 have 128 x 48"):
        read(export(tmp_path, track(0, box(0, 100)), size=(48, 128)), clip(tmp_path))


def test_attributes_and_labels_name_tracks(tmp_path: Path) -> None:
    parts = (
        track(0, box(0, 0, speaker="Anna &amp; Co"), box(1, 0, speaker="Anna &amp; Co")),
        track(1, box(0, 30, speaker="")),
        track(2, box(0, 60), label="Ben"),
        track(3, box(1, 60), label="Ben"),  # after a cut
        track(4, box(0, 90), label="guest"),
        track(5, box(0, 20), label="guest"),  # two at once: a class
    )
    tracks = read(export(tmp_path, *parts), clip(tmp_path))
    assert track_names(tracks, None) == ["Anna & Co", "1", "Ben", "Ben", "4", "5"]
    assert track_names(tracks, {"0", "guest", "Ben"}) == ["0", "1", "Ben", "Ben", "guest", "guest"]


def test_the_only_label_of_several_tracks_is_a_class(tmp_path: Path) -> None:
    """In any language, and if people are seen one after the other: they are not taken for one person."""
    apart = [track(number, box(10 * number, 0), label="personne") for number in range(2)]
    assert track_names(read(export(tmp_path, *apart), clip(tmp_path)), None) == ["0", "1"]
    assert track_names(read(export(tmp_path, apart[0]), clip(tmp_path)), None) == ["personne"]


def test_two_names_of_a_track_are_an_error(tmp_path: Path) -> None:
    bad = track(3, box(0, 0, speaker="Anna"), box(1, 0, speaker="Ben"))
    file = export(tmp_path, bad, track(4, box(0, 0)))
    with pytest.raises(SourceError, match=r"annotations\.xml:\d+:attribute: track 3 is 'Anna' in line \d+, and here"):
        read(file, clip(tmp_path))
    report = Report(skip_bad=True)
    assert [one.id for one in read(file, clip(tmp_path), report)] == ["4"] and report.skipped == 1


def test_a_turned_box_becomes_the_upright_box_around_it(tmp_path: Path) -> None:
    report = Report(skip_bad=False)
    (found,) = read(export(tmp_path, track(0, box(0, 30, more=' rotation="90.00"'))), clip(tmp_path), report)
    assert rounded(found) == [(0.0, (25, 15, 55, 35))] and report.counts[TURNED] == 1


def test_other_shapes_are_counted(tmp_path: Path) -> None:
    polygon = (
        '    <polygon frame="0" keyframe="1" outside="0" occluded="0" points="1.00,2.00;3.00,4.00" z_order="0"/>\n'
    )
    report = Report(skip_bad=False)
    found = read(export(tmp_path, track(0, polygon), track(1, box(0, 0))), clip(tmp_path), report)
    assert [len(one.boxes) for one in found] == [0, 1] and report.counts[SHAPES] == 1


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('xtl="7.00"', 'xtl="left"', ["annotations.xml:19:box.xtl", "'left'"]),
        (' xtl="7.00"', "", ["19:box.xtl", "is missing"]),
        ('frame="5"', 'frame="-5"', ["19:box.frame", "-5"]),
        ('ybr="40.00"', 'ybr="inf"', ["19:box.ybr", "'inf'"]),
    ],
)
def test_a_bad_box_says_its_line_and_can_be_skipped(old: str, new: str, parts: list[str], tmp_path: Path) -> None:
    file = export(tmp_path, track(0, box(5, 7), box(6, 8)))
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        read(file, clip(tmp_path))
    assert all(part in str(raised.value) for part in parts), raised.value
    report = Report(skip_bad=True)
    assert len(read(file, clip(tmp_path), report)[0].boxes) == 1 and report.skipped == 1


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    """Entities can grow without bound, and name files; neither is expanded."""
    secret = tmp_path / "secret.txt"
    secret.write_text("Anna", encoding="utf-8")
    laughs = '<!DOCTYPE annotations [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
    outside = f'<!DOCTYPE annotations [<!ENTITY b SYSTEM "{secret.as_uri()}">]>\n'
    for head in (laughs, outside, '<!DOCTYPE annotations SYSTEM "http://127.0.0.1:1/cvat.dtd">\n'):
        with pytest.raises(SourceError, match=r"annotations\.xml:2:DOCTYPE: is no part of CVAT's format"):
            read(export(tmp_path, track(0, box(0, 0, speaker="&b;")), head=head), clip(tmp_path))


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("<annotations><track>", ["annotations.xml:1", "not well-formed"]),
        ("<annotations><version>1.1</version></annotations>", ["no tracks"]),
        ('<annotations><image id="0" name="frame_000000"/></annotations>', ["CVAT for images", "CVAT for video 1.1"]),
        ("<?xml version='1.0' encoding='utf-x'?><annotations/>", ["1:encoding", "utf-x", "UTF-8"]),
        ("<annotations><odd><track><box/></track></odd></annotations>", ["no tracks"]),
        ("<html><body/></html>", ["1:html", "not the XML of CVAT"]),
        ("<annotations><track id='0' task_id='1'/><track id='1' task_id='2'/></annotations>", ["2 tasks"]),
    ],
)
def test_other_xml_is_refused(content: str, parts: list[str], tmp_path: Path) -> None:
    file = tmp_path / "annotations.xml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError) as raised:
        read(file, clip(tmp_path))
    assert all(part in str(raised.value) for part in parts), raised.value


def test_the_test_files_are_xml(tmp_path: Path) -> None:
    root = ElementTree.parse(export(tmp_path, track(0, box(5, 7, speaker="Anna")))).getroot()
    assert [one.tag for one in root] == ["version", "meta", "track"]
