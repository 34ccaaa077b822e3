"""Values that settings name and prompts act on. Imports nothing, because every `--help` needs them."""

from typing import Literal

ALL_TASKS = "all"  # --task's value for all tasks, and their common row in tables; no task may have this name

BoxesAs = Literal["none", "text", "overlay"]
Context = Literal["full", "past"]
