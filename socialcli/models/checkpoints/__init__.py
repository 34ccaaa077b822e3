"""A checkpoint's files: found, checked and, where something is wrong, refused with a reason, before any is loaded.

May import: errors.
"""
