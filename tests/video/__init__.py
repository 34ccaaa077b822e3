"""Tests of socialcli.video, on real little videos that `clips` encodes."""
