"""Speech: people's voices, how words sound, and the talk of a clip as one sound track.

May import: errors.
"""
