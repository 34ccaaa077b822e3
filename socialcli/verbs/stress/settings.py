"""The settings of a stress test: those of a run, without those that it decides itself."""

from __future__ import annotations

from socialcli.settings.run import run_keys

LACKING = frozenset(
    {"alignment", "regions", "region_share", "permute", "permute_seed", "check_invariance", "timeout_per_question"}
)
"""Settings of a run that a stress test does not have, by key."""

SETTINGS = run_keys(but=LACKING)
"""Those that it has."""
