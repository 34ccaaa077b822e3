"""The JSON Schemas of socialcli's files, as package data."""
