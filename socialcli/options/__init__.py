"""The click options that commands share, and what their values come to.

May import: alignment, errors, logs, plots, plugins, results, settings, stats, tasks.
"""
