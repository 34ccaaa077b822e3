"""`socialcli validate`: find the problems of episodes files.

May import: episodes, errors, models, options, plugins, video.
"""
