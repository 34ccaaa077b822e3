"""Settings: what a run is asked to do, each with its default, range and help.

May import: alignment, episodes, errors, tasks.
"""
