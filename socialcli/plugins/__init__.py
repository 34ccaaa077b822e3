"""Plug-ins: the hooks, how plug-ins are found, and the registry of what they provide.

May import: alignment, errors, inference, models, perception, socialcli, tasks.
"""
