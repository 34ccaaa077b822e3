"""`socialcli compare`: two runs, or two conditions of one, paired question by question.

May import: errors, options, results, settings, stats, text_table.
"""
