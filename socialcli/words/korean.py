"""What Korean attaches to a noun without a blank: particles, titles, and the verb "to be"."""

from __future__ import annotations

import re
import unicodedata

_ENDINGS = """
    은 는 이 가 을 를 의 에 께 와 과 도 만 로 으로 에게 에게서 한테 한테서 에서 부터 까지 보다 처럼 마다 밖에 조차 마저
    께서 야 아 여 씨 님 랑 이랑 하고 라고 이라고 들 이나 나 이든 든 요 이요 란 이란
    입니다 이에요 예요 이예요 이다 다 였다 이었다 였습니다 이었습니다 이고 이며 인 인데 이지만 이라서 라서 이었고
    이라 라 입니까 인가요 이죠 죠 이지 임 일 이니까 니까 이므로 므로
"""
_ENDING = re.compile(f"(?:{'|'.join(sorted(_ENDINGS.split(), key=len, reverse=True))})+")


def is_ending(text: str) -> bool:
    """Whether `text` consists only of endings of a noun: "에게는" of "민수에게는"."""
    return _ENDING.fullmatch(unicodedata.normalize("NFC", text)) is not None
