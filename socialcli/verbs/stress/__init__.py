"""`socialcli stress`: a run with errors in the annotation, kind by kind and level by level.

May import: errors, jobs, options, perturbation, plots, plugins, results, settings, stats, text_table, verbs.run.
"""
