"""Who says what: utterances given to the people on screen, by moving mouths and by voices.

- `attribution.attribute`: the speaker of each utterance, each with a confidence.

May import: nothing.
"""
