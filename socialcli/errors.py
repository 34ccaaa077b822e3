"""Everything that can go wrong on a user's side.

    SocialcliError                       anything a user can act on                        exit
    ├── UsageError                       the command names something that is not there      2
    │   ├── UnknownNameError             a model, task, bias rule ... nobody provides       2
    │   ├── NotThereError                a file or a folder that does not exist             2
    │   ├── CheckpointError              a checkpoint that cannot be had or loaded          2
    │   └── PluginError                  two plug-ins that claim the same name              2
    ├── TooManyFailuresError             done, with more failures than were allowed         3
    ├── InvalidInputError                a file that is there but cannot be read            4
    ├── FolderInUseError                 another run holds the output folder                5
    ├── TrainingError                    a training that cannot go on: its loss is no number 3
    └── QuestionError                    costs one question or one episode; becomes a row
        ├── AnnotationError              the episode breaks the schema or contradicts itself
        ├── VideoError                   the video cannot be opened, decoded or trusted
        ├── PromptError                  the question cannot be put to this model
        ├── TimeLimitError               the question takes longer than it may
        └── ModelError                   the model gave no usable scores
            └── OutOfMemoryError         there is not enough memory for the prompt

Only `socialcli.cli` turns an error into a message and an exit code. A `QuestionError` normally never gets
that far: a run writes it into the question's row as `error` and goes on; where one question is the whole job,
it ends the command like invalid input (exit 4).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SocialcliError(Exception):
    """Base of every error with a message meant for the user; `exit_code` is what the command exits with."""

    exit_code = 1


class UsageError(SocialcliError):
    """The command line, the environment or the settings file names something that is not there."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that no plug-in provides. The message suggests the nearest known one."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        """Describe the unknown `name` of kind `what` ("model", "task", ...) among the `known` ones."""
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(known) if known else "none"
        super().__init__(f"there is no {what} {name!r}.{hint} Known: {listed}.")


class NotThereError(UsageError):
    """A file or folder that the command needs does not exist."""


class CheckpointError(UsageError):
    """A checkpoint that is not there, cannot be downloaded, or does not hold the right model."""


class PluginError(UsageError):
    """Two plug-ins claim the same name."""


class TooManyFailuresError(SocialcliError):
    """The work is done, but more questions failed than `--max-failures` allows."""

    exit_code = 3


class InvalidInputError(SocialcliError):
    """A file that is there but cannot be read, or breaks the schema as a whole."""

    exit_code = 4


class FolderInUseError(SocialcliError):
    """Another run holds the output folder."""

    exit_code = 5


class TrainingError(SocialcliError):
    """A training that has nothing to learn from, or whose weights would be lost; what was saved stays."""

    exit_code = 3


class QuestionError(SocialcliError):
    """Something that costs one question or one episode. A run records it and goes on."""

    exit_code = 4

    @property
    def record(self) -> str:
        """The text of the `error` column: the kind, a colon, the message."""
        return f"{type(self).__name__}: {self}"


class AnnotationError(QuestionError):
    """The episode breaks the schema or contradicts itself."""


class VideoError(QuestionError):
    """The video cannot be opened, decoded, or trusted to be the annotated one."""


class PromptError(QuestionError):
    """The question cannot be put to this model as it stands."""


class TimeLimitError(QuestionError):
    """A question takes longer than `--timeout-per-question`."""


class ModelError(QuestionError):
    """The model gave no usable scores for this question."""


class OutOfMemoryError(ModelError):
    """There is not enough memory for the question's prompt, even alone."""


class Terminated(BaseException):
    """SIGTERM arrived. No error, like KeyboardInterrupt: no `except Exception` catches it, every `finally` runs."""
