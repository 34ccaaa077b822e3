"""What the verbs share: a job is checked, its questions are selected, prepared and answered, and counted.

May import: alignment, episodes, errors, files, inference, interrupts, logs, models, plugins, results, settings, stats,
tasks, video.
"""
