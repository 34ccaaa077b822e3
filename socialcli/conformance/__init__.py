"""The conformance suite: what any adapter must prove, with noise for frames and no network (torch).

May import: alignment, episodes, errors, inference, models, tasks, video.
"""
