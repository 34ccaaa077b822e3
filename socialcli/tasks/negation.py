"""Detects answers that are only named to be ruled out: "not B", "不是B", "Bではない"."""

from __future__ import annotations

import re

from socialcli.words.boundaries import joined

_MARKS = r"[\s\"'“”‘’「」『』《》()\[\]{}*_`$:]*"
_OPTION = r"(?:(?:the |an )?(?:option|answer|choice|letter)|选项|選項|答案|ข้อ)?"  # may stand between "not" and "B"
_BEFORE = re.compile(
    r"(not(?: be)?|n't(?: be)?|cannot be|(?:except|rather than|instead of|other than)"
    r"|不是|不会是|不會是|不可能是|并非|並非|不选|不選|不应选|不應選|不该选|没选|沒選|排除|而非|除了"  # Chinese
    r"|ไม่ใช่|không phải(?: là)?|ليست?|nicht|kein[e]?|pas|no es|não é|non è|не)"
    rf"{_MARKS}{_OPTION}{_MARKS}$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"[\s\"'”’」』)\]}*_`$]*(?:"
    r"is (?:wrong|incorrect|not (?:correct|right|the answer))"
    r"|(?:は|が|では|じゃ|とは|で)?は?(?:ない|ありません|なく|違い|違う|間違い|不正解|以外)"  # Japanese
    r"|(?:은|는|이|가)?\s*(?:아니|아닙|아닌|틀렸|틀린)"  # Korean
    r"|(?:选项|選項)?(?:是|为)?(?:不对|不對|不正确|不正確|错误|錯誤|错的|錯的|不符合|除外)"  # Chinese
    r"|नहीं|ไม่ถูก|ไม่ใช่"  # Hindi, Thai
    r")",
    re.IGNORECASE,
)
_REACH = 60  # characters before the answer in which a negation is searched


def is_denied(text: str, start: int, end: int) -> bool:
    """Whether the words around the characters [start, end) of `text` negate them."""
    begin = max(0, start - _REACH)
    before = _BEFORE.search(text[begin:start])
    # A negation is a whole word ("knot B" has none), except "n't".
    if before is not None and (before[1].lower().startswith("n't") or not joined(text, begin + before.start())):
        return True
    return _AFTER.match(text, end) is not None
