"""Annotation errors of known kind and size: an episode whose boxes or speakers are wrong, by a seed.

May import: episodes, errors.
"""
