"""Tracks that people drew or corrected in an annotation tool, and those of COCO's video files.

`reading` recognizes the format by the content. A reader returns a `Track` for each person, with a box at every moment
at which the tool shows one, in pixels of the video.

May import: episodes, errors, files.
"""
