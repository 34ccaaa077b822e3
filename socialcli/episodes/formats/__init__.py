"""The file formats of episodes: Parquet and JSON Lines.

May import: errors, files.
"""
