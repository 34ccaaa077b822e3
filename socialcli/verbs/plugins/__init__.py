"""`socialcli plugins`: the installed plug-ins and their problems.

May import: options, plugins.
"""
