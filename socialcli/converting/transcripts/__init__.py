"""Transcripts: cues with their times, and who says each line.

May import: words.
"""
