"""`socialcli train`: fine-tune a model with the alignment in place.

May import: alignment, episodes, errors, files, inference, interrupts, jobs, logs, models, options, plots, plugins,
results, settings.
"""
