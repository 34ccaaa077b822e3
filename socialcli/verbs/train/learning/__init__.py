"""(torch) The learning itself: examples, packed rows, one optimizer step, the saved state.

May import: alignment, episodes, errors, files, inference, models, results, tasks.
"""
