"""The settings of a sweep: those of a run, without those it tries several values of and those it lacks."""

from __future__ import annotations

from socialcli.settings.run import run_keys

TRIED = ("alpha", "lambda", "layers", "bias", "heads_by", "max_heads", "steer", "balance")
"""Settings of a run of which a sweep takes several values, by key."""

LACKING = frozenset(
    {*TRIED, "more_episodes", "alignment", "heads", "heads_rank", "heads_min_share", "regions", "region_share"}
    | {"split", "permute", "permute_seed", "check_invariance", "timeout_per_question"}
)
"""Settings of a run that a sweep does not have, by key."""

NO_LIMIT = "none"
"""The value of --max-heads that sets no limit."""

SETTINGS = run_keys(but=LACKING)
"""Those that it has."""
