"""(torch) Questions through a model: a clip once, then each question on it.

May import: alignment, episodes, errors, models, tasks, video.
"""
