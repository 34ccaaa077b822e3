"""The built-in parts that hear: a voice analyser and an active speaker detector without weights."""

from __future__ import annotations

from socialcli.perception.contract import ActiveSpeakerSpec, PartOptions, Source, SpeechScores, Voices, VoicesSpec

_OWN = Source(package=None, licence="Apache-2.0")


def _energy(options: PartOptions) -> Voices:
    from socialcli.perception.voices import EnergyVoices

    return EnergyVoices()


def _motion(options: PartOptions) -> SpeechScores:
    from socialcli.perception.mouths import motion_scores

    return motion_scores


VOICES = [
    VoicesSpec(
        name="energy",
        summary="speech by its loudness above the noise; voices compared by spectrum and pitch",
        source=_OWN,
        load=_energy,
    )
]
ACTIVE_SPEAKERS = [
    ActiveSpeakerSpec(
        name="motion",
        summary="a mouth that moves while there is speech; means something only where one mouth moves alone",
        source=_OWN,
        load=_motion,
        rate=25.0,
    )
]
