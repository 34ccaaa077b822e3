"""`socialcli models`: the model families that --model takes.

May import: options, plugins.
"""
