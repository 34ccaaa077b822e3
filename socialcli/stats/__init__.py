"""Statistics of predictions: accuracy, intervals, paired tests, gold labels.

May import: episodes, errors, results, tasks, text_table.
"""
