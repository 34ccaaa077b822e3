"""Multi-speaker attention alignment: the plan (pure geometry), the bias rules, and the fused attention (torch).

May import: episodes, errors.
"""
