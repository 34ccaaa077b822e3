"""`socialcli tasks`: the tasks that --task takes.

May import: options, plugins.
"""
