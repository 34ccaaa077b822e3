"""One output folder: tables, parts, keys, the lock, the manifest, and whether work in it can be resumed.

May import: alignment, episodes, errors, files, interrupts, plots, settings, tasks, video.
"""
