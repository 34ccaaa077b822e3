"""Reads off a checkpoint what its adapter needs, by its small files and by running its processor (torch).

May import: errors, models.
"""
