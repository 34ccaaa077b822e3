"""`socialcli run`: ask a model the questions of episodes files; write predictions and accuracy.

May import: episodes, errors, jobs, options, plugins, results, settings, stats.
"""
