"""`socialcli annotate`: from recordings with a transcript to episodes with speakers and boxes.

May import: annotating, converting, episodes, errors, options, perception, plugins.
"""
