"""Film: the shots of a clip, faces with lips that speak, and the files that say what is true of it.

May import: episodes.
"""
