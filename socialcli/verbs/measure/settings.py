"""The settings of a measurement: those of a run, except what concerns answers."""

from __future__ import annotations

from socialcli.settings.run import run_keys

LACKING = frozenset(
    {"more_episodes", "alignment", "heads", "heads_rank", "heads_min_share", "max_heads", "heads_by", "heads_seed"}
    | {"steer", "balance", "regions", "region_share", "answer", "permute", "permute_seed"}
    | {"check_invariance", "timeout_per_question"}
)
"""Settings of a run that a measurement does not have, by key."""

SETTINGS = run_keys(but=LACKING)
"""Those that it has."""
