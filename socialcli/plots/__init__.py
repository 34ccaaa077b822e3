"""Plots of results, drawn with matplotlib, which is imported on use.

May import: files, words.
"""
