"""How the words of the sentences are pronounced, in ARPABET without stress."""

from __future__ import annotations

import re
from collections.abc import Mapping

PAUSE = "_"  # at a comma

_WORDS = """
a AH|about AH B AW T|after AE F T ER|again AH G EH N|ask AE S K|bring B R IH NG|can K AE N|could K UH D|did D IH D
find F AY N D|for F AO R|forgot F ER G AA T|from F R AH M
gave G EY V|here HH IH R|i AY|is IH Z|keep K IY P|kept K EH P T
last L AE S T|left L EH F T|look L UH K|maybe M EY B IY|me M IY|mend M EH N D|pass P AE S|please P L IY Z
present P R EH Z AH N T|should SH UH D|tell T EH L|thank TH AE NG K|that DH AE T|the DH AH|them DH EH M
they DH EY|think TH IH NG K|time T AY M|to T UW|took T UH K|wanted W AO N T IH D|was W AA Z|we W IY|where W EH R
you Y UW|your Y AO R
umbrella AH M B R EH L AH|guitar G IH T AA R|camera K AE M R AH|map M AE P|lamp L AE M P|kettle K EH T AH L
ladder L AE D ER|ticket T IH K IH T|book B UH K|parcel P AA R S AH L|torch T AO R CH|radio R EY D IY OW
basket B AE S K IH T|clock K L AA K|scarf S K AA R F|violin V AY AH L IH N
robin R AA B IH N|kim K IH M|alex AE L IH K S|sam S AE M|charlie CH AA R L IY|jamie JH EY M IY|taylor T EY L ER
jordan JH AO R D AH N|casey K EY S IY|morgan M AO R G AH N|riley R AY L IY|quinn K W IH N|avery EY V ER IY
rowan R OW AH N|sasha S AA SH AH|jules JH UW L Z
"""

LEXICON: Mapping[str, tuple[str, ...]] = {
    entry.split()[0]: tuple(entry.split()[1:]) for line in _WORDS.strip().splitlines() for entry in line.split("|")
}
"""The phones of each word, in lower case."""


def phones_of(text: str) -> list[str]:
    """The phones of a sentence, with `PAUSE` at each comma. Raises KeyError for a word that is not in `LEXICON`."""
    phones: list[str] = []
    for token in re.findall(r"[\w']+|,", text.lower()):
        phones.extend([PAUSE] if token == "," else LEXICON[token])
    return phones
