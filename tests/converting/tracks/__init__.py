"""Tests of socialcli.converting.tracks."""
