"""`socialcli plugins`: what is installed and what is broken.

May import: options, plugins.
"""
