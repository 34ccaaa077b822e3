"""Models: what an adapter of a model must offer, and what the adapters of transformers models share.

May import: alignment, errors, logs, video.
"""
