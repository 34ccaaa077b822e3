"""`socialcli compare`: two runs, or two conditions of one, paired question by question.

May import: alignment, errors, options, results, stats, text_table.
"""
