"""`socialcli plugin new`: a plug-in for a model family, written from a checkpoint.

May import: errors, files, options, plugins, settings.
"""
