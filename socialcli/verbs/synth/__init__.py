"""`socialcli synth`: draw a synthetic social world.

May import: jobs, options, synth.
"""
