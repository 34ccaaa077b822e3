"""Multi-speaker attention alignment: plan (geometry), method (equations), bias rules, and the attention hook (torch).

May import: episodes, errors.
"""
