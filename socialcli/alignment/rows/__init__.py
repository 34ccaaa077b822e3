"""(torch) The rows U of a batch in one layer: padded, masked, corrected, observed, and recomputed where needed.

May import: nothing.
"""
