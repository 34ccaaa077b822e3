"""Local videos and folders of images: finding them, sampling frames by time, drawing boxes on them.

One clock runs through the whole package: **seconds since the start of the file**, as a player shows them. For
a container that begins at another time stamp (an MPEG transport stream, a recording, an edit list) that start
is subtracted, so every file begins at 0; its first picture may come later, where the sound starts before it.
In a folder of images with `fps`, image i (from 0, in natural order of names) is at i / fps.

- `media.resolve_media`: an episode's path becomes a local file or folder under the media root, or an error.
- `sampling.sample_frames`: N frames, uniform in presentation time over a window.
- `sampling.check_size`: the decoded size against the annotated one.
- `overlay.draw_boxes`: coloured, labelled boxes on copies of the frames.

Nothing is imported here, so that the frame records (`frames`) stay free of PyAV and Pillow.

May import: errors.
"""
