"""`socialcli validate`: what is wrong with episodes files.

May import: episodes, errors, models, options, plugins, video.
"""
