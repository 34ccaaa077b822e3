"""Steering: which words are biased towards which regions.

May import: episodes, errors, perturbation.
"""
