"""A checkpoint's files: found, contained in their folder, and refused with a reason, before any is loaded.

May import: errors.
"""
