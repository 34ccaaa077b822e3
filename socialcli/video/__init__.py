"""Local videos and folders of images: finding them, sampling frames by time, drawing boxes on them.

The whole package uses one clock: **seconds since the start of the file**, as a player shows them. If a
container's time stamps begin elsewhere (an MPEG transport stream, a recording, an edit list), that start is
subtracted, so every file begins at 0; its first picture may come later if the sound starts before it.
In a folder of images with `fps`, image i (from 0, in natural order of names) is at i / fps.

- `media.resolve_media`: from an episode's path to a local file or folder under the media root.
- `sampling.sample_frames`: N frames, uniform in presentation time over a window.
- `sampling.check_size`: the decoded size against the annotated one.
- `overlay.draw_boxes`: coloured, labelled boxes on copies of the frames.
- `sound.sound_of`, `sound.open_sound`: the sound of a window, or of a whole file in blocks.
- `lettering`: text on pictures, in any script.

This `__init__` imports nothing, so that `frames` can be imported without PyAV and Pillow.

May import: errors, interrupts, words.
"""
