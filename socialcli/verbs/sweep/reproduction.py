"""The `socialcli run` that asks a chosen setting alone, so that a reader can repeat its figures."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from socialcli.jobs.grid import PLAIN, Setting
from socialcli.settings.run import RunSettings, run_settings
from socialcli.verbs.sweep.settings import TRIED

# No answer depends on these; of the other free settings, a run without them would ask others, or find no videos.
_NEEDLESS = {one.key for one in run_settings() if one.about.free} - {"limit", "media_root", "allow_links"}


def run_command(settings: RunSettings, setting: Setting, tasks: Sequence[str], split: str | None) -> str:
    """The command line of a run with the `settings` of a sweep and one `setting`, for a shell.

    It names every option that differs from its default, and the strength whether or not it does. Without a `split` it
    asks the questions of all.
    """
    mode = "off" if setting == PLAIN else "on"
    others = {"alignment": mode, "tasks": list(tasks), "split": split}
    values = settings.as_record() | dict(setting.as_record().items()) | others
    output = re.sub(r"[^\w.-]", "_", "-".join(["best", *tasks, *([] if split is None else [split])]))
    words = ["socialcli", "run", settings.selection.episodes, *_options(values, setting), "-o", output]
    return shlex.join(words)


def _options(values: dict[str, Any], setting: Setting) -> Iterator[str]:
    for one in run_settings(but={"episodes", "more_episodes", "check_invariance", *_NEEDLESS}):
        value = values[one.key]
        always = one.key == "alignment" or (one.key in TRIED[:4] and setting != PLAIN)
        if value is None or (value == one.default and not always) or (one.key in TRIED and setting == PLAIN):
            continue
        if value is True:
            yield one.option
        else:
            for item in value if isinstance(value, list) else [value]:
                yield from (one.option, str(item))
