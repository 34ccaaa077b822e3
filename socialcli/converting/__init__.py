"""What converters share: reading sources, finding videos, speaker labels, and writing the episodes file.

A converter turns the files of a data set, or of a user's own pipeline, into episodes. It reads files with `sources`,
finds videos with `clip_media`, and passes its episodes to `conversion`, which writes them and prints a summary.

May import: episodes, errors, files, logs, options, video, words.
"""
