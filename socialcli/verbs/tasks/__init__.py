"""`socialcli tasks`: the tasks that --task accepts.

May import: options, plugins.
"""
