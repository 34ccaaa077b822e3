"""`socialcli agreement`: how well an annotation agrees with a reference.

May import: agreement, episodes, errors, options, results, stats, text_table.
"""
