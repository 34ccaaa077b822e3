"""Writes the files of a plug-in from what was read off a checkpoint.

May import: nothing.
"""
