"""One folder per verb of the command line; `command.py` in each is where the verb begins.

May import: nothing.
"""
