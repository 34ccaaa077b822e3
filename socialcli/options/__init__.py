"""The click options that commands share, and what their values come to.

May import: alignment, errors, logs, plugins, results, settings, stats, tasks.
"""
