"""What can be wrong with an episode: its shape (JSON Schema), then its meaning.

May import: schemas.
"""
