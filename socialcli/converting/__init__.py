"""What converters share: reading sources, finding videos, who says a line, and leaving one whole episodes file.

A converter turns the files of a data set, or of somebody's own pipeline, into episodes. It reads with `sources`, finds
pictures with `footage`, and gives its episodes to `conversion`, which writes them and says what became of what.

May import: episodes, errors, files, logs, options, video, words.
"""
