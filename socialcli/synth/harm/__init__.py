"""Harm sets: scenes and questions that show whether the alignment hurts where it has no business.

May import: episodes, tasks.
"""
