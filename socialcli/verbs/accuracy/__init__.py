"""`socialcli accuracy`: accuracy tables from predictions that exist already.

May import: errors, options, results, stats.
"""
