"""`socialcli models`: the model families that --model accepts.

May import: options, plugins.
"""
