"""(torch) The regions V(s, f) of a clip's speakers, from boxes or from the model itself.

May import: alignment, episodes, errors, models, perturbation, tasks.
"""
