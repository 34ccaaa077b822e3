"""Regions V(s, f): where each speaker is, by boxes, by the model's own attention, or by everybody's boxes.

May import: nothing.
"""
