"""Phones: formants, voicing, noise and the opening of the mouth, and their timing in a sentence.

Formants of vowels are men's: G. E. Peterson and H. L. Barney, "Control methods used in a study of the vowels", JASA 24,
1952.
Consonants: after D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67, 1980, simplified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from socialcli.synth.speech.lexicon import PAUSE

Formants = tuple[float, float, float]  # Hz


@dataclass(frozen=True, slots=True)
class Phone:
    """A stretch of sound with constant targets; what is between two phones moves from one to the other."""

    formants: Formants
    milliseconds: float
    voice: float = 1.0  # level of the glottal pulses
    noise: float = 0.0  # level of the friction
    band: tuple[float, float] = (0.0, 0.0)  # centre and width of the friction, Hz
    opening: float = 0.0  # of the mouth: 0 shut, 1 wide open
    vowel: bool = False


@dataclass(frozen=True, slots=True)
class TimedPhone:
    """A phone of a sentence, from `start` to `end` seconds."""

    phone: Phone
    start: float
    end: float


def _vowel(f1: float, f2: float, f3: float, milliseconds: float, opening: float) -> Phone:
    return Phone((f1, f2, f3), milliseconds, opening=opening, vowel=True)


_IY, _IH = _vowel(270, 2290, 3010, 110, 0.45), _vowel(390, 1990, 2550, 80, 0.5)
_EH, _AE = _vowel(530, 1840, 2480, 95, 0.7), _vowel(660, 1720, 2410, 130, 0.9)
_AA, _AO = _vowel(730, 1090, 2440, 130, 1.0), _vowel(570, 840, 2410, 125, 0.8)
_UH, _UW = _vowel(440, 1020, 2240, 85, 0.45), _vowel(300, 870, 2240, 110, 0.4)
_AH, _ER = _vowel(640, 1190, 2390, 75, 0.7), _vowel(490, 1350, 1690, 110, 0.5)


def _half(phone: Phone) -> Phone:
    return Phone(phone.formants, 0.65 * phone.milliseconds, opening=phone.opening, vowel=True)


def _stop(formants: Formants, band: tuple[float, float], voiced: bool, opening: float) -> tuple[Phone, ...]:
    """A closure, with murmur if voiced, and a burst."""
    closure = Phone(formants, 45 if voiced else 55, voice=0.12 if voiced else 0.0, opening=opening)
    return closure, Phone(
        formants, 12 if voiced else 28, voice=0.2 if voiced else 0.0, noise=0.35, band=band, opening=opening
    )


def _friction(
    formants: Formants, band: tuple[float, float], noise: float, voice: float, opening: float = 0.2
) -> tuple[Phone, ...]:
    return (Phone(formants, 70 if voice else 95, voice, noise, band, opening),)


def _glide(
    f1: float, f2: float, f3: float, opening: float, voice: float = 0.6, milliseconds: float = 60
) -> tuple[Phone, ...]:
    return (Phone((f1, f2, f3), milliseconds, voice, opening=opening),)


_LIPS, _TEETH, _PALATE = (250.0, 900.0, 2200.0), (300.0, 1700.0, 2600.0), (300.0, 1900.0, 2300.0)
_S, _SH, _F, _TH = (6000.0, 2500.0), (3200.0, 1800.0), (4500.0, 6000.0), (5000.0, 6000.0)

PHONES: Mapping[str, tuple[Phone, ...]] = {
    "IY": (_IY,),
    "IH": (_IH,),
    "EH": (_EH,),
    "AE": (_AE,),
    "AA": (_AA,),
    "AO": (_AO,),
    "UH": (_UH,),
    "UW": (_UW,),
    "AH": (_AH,),
    "ER": (_ER,),
    "EY": (_EH, _half(_IY)),
    "AY": (_AA, _half(_IH)),
    "OW": (_AO, _half(_UH)),
    "AW": (_AA, _half(_UH)),
    "P": _stop(_LIPS, (900, 1500), False, 0.0),
    "B": _stop(_LIPS, (900, 1500), True, 0.0),
    "T": _stop(_TEETH, (4500, 3000), False, 0.15),
    "D": _stop(_TEETH, (4500, 3000), True, 0.15),
    "K": _stop(_PALATE, (2000, 1200), False, 0.3),
    "G": _stop(_PALATE, (2000, 1200), True, 0.3),
    "CH": (*_stop(_PALATE, _SH, False, 0.2), *_friction(_PALATE, _SH, 0.4, 0.0)),
    "JH": (*_stop(_PALATE, _SH, True, 0.2), *_friction(_PALATE, _SH, 0.3, 0.3)),
    "S": _friction(_TEETH, _S, 0.4, 0.0),
    "Z": _friction(_TEETH, _S, 0.25, 0.4),
    "SH": _friction(_PALATE, _SH, 0.45, 0.0),
    "F": _friction(_LIPS, _F, 0.15, 0.0, 0.08),
    "V": _friction(_LIPS, _F, 0.08, 0.5, 0.08),
    "TH": _friction(_TEETH, _TH, 0.12, 0.0),
    "DH": _friction(_TEETH, _TH, 0.06, 0.5),
    "HH": _friction((500, 1500, 2500), (1500, 2500), 0.15, 0.0, 0.5),
    "M": _glide(250, 1000, 2200, 0.0, 0.4),
    "N": _glide(250, 1500, 2600, 0.15, 0.4),
    "NG": _glide(250, 1900, 2600, 0.3, 0.4),
    "L": _glide(360, 1100, 2600, 0.35),
    "R": _glide(350, 1200, 1600, 0.3),
    "W": _glide(290, 650, 2200, 0.1),
    "Y": _glide(270, 2200, 3000, 0.25),
    PAUSE: (Phone((500, 1500, 2500), 180, voice=0.0),),
}
"""The phones of each sign of ARPABET that `lexicon` uses; a diphthong, stop or affricate has more than one."""

_FINAL = 1.35  # how much longer the last syllable of a sentence is
_TAIL = 3  # phones that this concerns


def timed(signs: Sequence[str], tempo: float) -> tuple[TimedPhone, ...]:
    """The phones of a sentence one after the other, from 0 seconds; `tempo` 2 takes half the time."""
    phones = [phone for sign in signs for phone in PHONES[sign]]
    result, start = [], 0.0
    for place, phone in enumerate(phones):
        longer = _FINAL if place >= len(phones) - _TAIL else 1.0
        end = start + phone.milliseconds * longer / tempo / 1000
        result.append(TimedPhone(phone, start, end))
        start = end
    return tuple(result)
