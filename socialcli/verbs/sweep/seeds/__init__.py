"""`socialcli sweep --seeds`: one sweep of the checkpoints of several seeds, and their spread.

May import: errors, jobs, plots, plugins, results, settings, stats, text_table, verbs.run.
"""
