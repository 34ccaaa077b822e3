"""From a recording to annotated episodes: who is on screen, who says what, cut into windows.

May import: attribution, converting, episodes, perception, video.
"""
