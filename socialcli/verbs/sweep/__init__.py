"""`socialcli sweep`: a run under many settings of the alignment, and the choice of the best.

May import: alignment, episodes, errors, jobs, options, plots, plugins, results, settings, stats, text_table, verbs.run.
"""
