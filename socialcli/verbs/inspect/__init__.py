"""`socialcli inspect`: everything between annotation and attention, for one question.

May import: alignment, episodes, errors, inference, jobs, models, options, plugins, settings, tasks, video.
"""
