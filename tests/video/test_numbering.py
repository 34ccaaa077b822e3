"""A folder's images are timed by their place, so their numbers must count without gaps."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from socialcli.errors import VideoError
from socialcli.video.folder import _natural
from socialcli.video.numbering import check_numbers


def check(names: list[str]) -> None:
    check_numbers(PurePath("clip"), sorted(names, key=lambda name: _natural(PurePath(name))))


def numbered(form: str, numbers: list[int] | range) -> list[str]:
    return [form.format(number) for number in numbers]


@pytest.mark.parametrize(
    "names",
    [
        numbered("{:05d}.jpg", range(30)),
        numbered("{:05d}.jpg", range(1, 31)),
        numbered("frame{}.png", range(1234, 1260)),
        numbered("{:04d}.JPG", range(1, 90, 3)),  # every third frame
        numbered("s01e01_seg02_{:04d}.jpg", range(1, 9)),
        numbered("{:06d}.jpg", [0, 33, 67, 100, 133, 167]),  # milliseconds
        numbered("{}.jpg", [0, 2, 5, 7, 10, 12]),  # every 2.5th frame
        [f"frame_{index:04d}_t{index * 40}.png" for index in range(9)],
        [f"shot{shot}_{index:03d}.png" for shot in (1, 2, 5) for index in range(4)],
        [f"2024-05-01_12-{index // 60:02d}-{index % 60:02d}.jpg" for index in range(50, 70)],
        ["a.png", "b.png", "beach.jpg"],
        ["a8f3.jpg", "b91c2.jpg", "0fe4.jpg", "c77d.jpg"],
        ["7.png"],
        ["8.png", "9.png", "10.png"],
        ["08.png", "9.png", "010.png"],
        [*numbered("{}.jpg", range(5)), *numbered("{}.PNG", range(5, 9))],
    ],
)
def test_names_that_count_or_say_nothing_pass(names: list[str]) -> None:
    check(names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (numbered("{:05d}.jpg", [1, *range(12, 31)]), "after 00001.jpg comes 00012.jpg (10 missing)"),
        (numbered("{}.jpg", [0, 1, 3, 4, 6]), "after 1.jpg comes 3.jpg (1 missing)"),
        (numbered("f{:04d}.png", [1, 4, 7, 13, 16]), "after f0007.png comes f0013.png (1 missing)"),
        (numbered("f{:04d}.png", [1, 4, 7, 8, 10, 13]), "after f0007.png comes f0008.png (the others go up by 3)"),
        (numbered("{:06d}.jpg", [0, 33, 67, 133, 167, 200]), "after 000067.jpg comes 000133.jpg (1 missing)"),
        (numbered("s01e01_{:04d}.jpg", [1, 2, 4]), "after s01e01_0002.jpg comes s01e01_0004.jpg"),
        (
            [f"shot{shot}_{index}.png" for shot in (1, 2) for index in (1, 2, 3, 5)],
            "after shot1_3.png comes shot1_5.png",
        ),
        ([*numbered("{:05d}.jpg", range(9)), "00003 (1).jpg"], "00003.jpg and 00003 (1).jpg are the same number"),
        (["00003.jpg", "00003 (1).jpg"], "00003.jpg and 00003 (1).jpg are the same number"),
        ([*numbered("{}.jpg", range(4)), "3 copy.jpg"], "3.jpg and 3 copy.jpg are the same number"),
        ([*numbered("{}.jpg", range(4)), "Copy of 3.jpg"], "3.jpg and Copy of 3.jpg are the same number"),
        ([*numbered("{}.jpg", range(4)), "3 - Kopie (2).JPG"], "are the same number"),
        ([*numbered("{:02d}.jpg", range(4)), "3.jpg"], "are the same number"),
        ([*numbered("{:02d}.jpg", range(4)), "03.png"], "03.jpg and 03.png are the same number"),
        ([*numbered("frame{}.jpg", range(4)), "Frame3.JPG"], "are the same number"),
        (
            [*numbered("frame_{:05d}.jpg", range(4)), "cover.jpg"],
            "cover.jpg is not named like frame_00000.jpg and",
        ),
        ([*numbered("{:05d}.jpg", range(4)), "00002 2.jpg"], "00002 2.jpg is not named like"),
    ],
)
def test_the_first_gap_or_repeat_is_named(names: list[str], message: str) -> None:
    with pytest.raises(VideoError) as caught:
        check(names)
    assert message in str(caught.value)
    assert str(caught.value).startswith("clip: ")
