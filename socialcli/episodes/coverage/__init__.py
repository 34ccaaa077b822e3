"""Coverage: how many utterances have a box of their speaker to be aligned to.

May import: errors, words.
"""
