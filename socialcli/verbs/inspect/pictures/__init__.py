"""The pictures of an inspection: frames with boxes and cells, and maps of attention.

May import: alignment, errors, files, video, words.
"""
