"""The tasks: which questions, which candidates, in which words, and how answers are read.

May import: episodes, errors, words.
"""
