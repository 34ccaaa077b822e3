"""`socialcli plan`: a dry run: what a run would do and what would fail, without the weights.

May import: alignment, episodes, errors, inference, jobs, models, options, plugins, results, settings, text_table,
verbs.run.
"""
