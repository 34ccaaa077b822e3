"""Which attention heads are active: the method's test, and other selectors.

May import: nothing.
"""
