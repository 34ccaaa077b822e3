"""`socialcli compare`: two runs, or two conditions of one, paired question by question.

May import: errors, options, results, stats, text_table.
"""
