"""Pictures of what was measured, by matplotlib, which is imported when one is drawn.

May import: files, words.
"""
