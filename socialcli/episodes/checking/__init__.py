"""Checks of an episode: first its shape (JSON Schema), then its meaning.

May import: schemas.
"""
