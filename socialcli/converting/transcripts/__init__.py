"""Transcripts: cues with their times and speakers.

May import: files, words.
"""
