"""Coverage: how many utterances have a box of their speaker to align with.

May import: errors, words.
"""
