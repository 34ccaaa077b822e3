"""`socialcli measure`: how much a model's words attend to their speakers, without and with the alignment.

May import: alignment, episodes, errors, files, inference, interrupts, jobs, models, options, plots, plugins, results,
settings.
"""
