"""`socialcli inspect`: everything between annotation and attention, for one question.

May import: alignment, episodes, errors, inference, models, options, plugins, tasks, video.
"""
