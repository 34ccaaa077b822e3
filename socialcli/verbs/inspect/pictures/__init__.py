"""The pictures of an inspection: frames with boxes and cells, and attention maps.

May import: alignment, errors, files, video, words.
"""
