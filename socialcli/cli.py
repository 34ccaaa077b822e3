"""The command `socialcli`: finds the subcommand and turns every error into a message and an exit code.

No other module does. 0: done; 1: a bug (with a traceback) or a system error such as a full disk (with a message);
2: usage; 3, 4, 5: see `socialcli.errors`; 130: interrupted; 141: the reader of standard output closed it;
143: terminated.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib
import itertools
import logging
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import socialcli
from socialcli import logs, signals
from socialcli.allocator import keep_freed_memory
from socialcli.errors import PluginError, SocialcliError, Terminated, UnknownNameError
from socialcli.options import repeated, variables

if TYPE_CHECKING:
    from socialcli.plugins.registry import Registry

_log = logging.getLogger(__name__)


class _Entry(NamedTuple):
    module: str  # holds the click command as `command`
    help: str  # its short help, copied here so that `socialcli --help` need not import it; a test compares the two


COMMANDS = {
    "run": _Entry("socialcli.verbs.run.command", "Ask a model the questions of EPISODES; write answers and accuracy."),
    "plan": _Entry(
        "socialcli.verbs.plan.command", "Show what a run would do, and what would fail, without the weights."
    ),
    "inspect": _Entry(
        "socialcli.verbs.inspect.command", "Show what a model sees of EPISODES, and what each box covers."
    ),
    "measure": _Entry("socialcli.verbs.measure.command", "Measure what the alignment does to a model's attention."),
    "sweep": _Entry("socialcli.verbs.sweep.command", "Ask under many settings of the alignment; find the best."),
    "stress": _Entry(
        "socialcli.verbs.stress.command", "Ask with errors in the annotation; find when alignment stops helping."
    ),
    "accuracy": _Entry("socialcli.verbs.accuracy.command", "Recompute accuracy tables from predictions."),
    "compare": _Entry("socialcli.verbs.compare.command", "Compare two runs, question by question."),
    "agreement": _Entry("socialcli.verbs.agreement.command", "Measure how well an annotation agrees with a reference."),
    "train": _Entry("socialcli.verbs.train.command", "Fine-tune a model on the gold answers in EPISODES."),
    "validate": _Entry("socialcli.verbs.validate.command", "Check episodes files and print each problem."),
    "schema": _Entry("socialcli.verbs.schema.command", "Print the JSON Schema of a file."),
    "convert": _Entry("socialcli.verbs.convert.command", "Convert a public dataset or a tracker's files to episodes."),
    "annotate": _Entry("socialcli.verbs.annotate.command", "Find speakers, and whose words are whose, in recordings."),
    "synth": _Entry("socialcli.verbs.synth.command", "Draw a social world as video and episodes, to learn from."),
    "models": _Entry("socialcli.verbs.models.command", "List the models and where they come from."),
    "tasks": _Entry("socialcli.verbs.tasks.command", "List the tasks and where they come from."),
    "plugins": _Entry("socialcli.verbs.plugins.command", "List the installed plug-ins, broken ones too."),
    "plugin": _Entry("socialcli.verbs.plugin.command", "Write a model plug-in, and check that its adapter is right."),
}


class _BrokenPipe(Exception):
    """Carries a BrokenPipeError past click, which would exit with 1 and no message."""

    def __init__(self, error: BrokenPipeError) -> None:
        super().__init__(str(error))
        self.error = error


class _Interrupted(BaseException):
    """Carries a KeyboardInterrupt past click, which would print an empty line between JSON objects."""


class Shell(click.Group):
    """A group that imports subcommands on use, and the only place that handles errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, plug-ins' commands last. Conflicting plug-ins only cause a warning here."""
        return [*COMMANDS, *_added_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if neither socialcli nor a plug-in has it."""
        if cmd_name in COMMANDS:
            command: click.Command = importlib.import_module(COMMANDS[cmd_name].module).command
        else:
            provided = _plugin_registry().commands().get(cmd_name)
            if provided is None:
                return None
            command = provided.item
        variables.name_variables(command, f"SOCIALCLI_{cmd_name}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name. Raises UnknownNameError, which suggests the closest name."""
        name = args[0]
        if not ctx.resilient_parsing and not _wants_errors_alone(args):
            for warning in variables.unknown_variables(self, ctx, os.environ):
                _log.warning("%s", warning)
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            raise UnknownNameError("command", name, self.list_commands(ctx))
        found = super().resolve_command(ctx, args)
        if found[1] is not None and not ctx.resilient_parsing:
            repeated.check_given_once(found[1], name, found[2], ctx)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists of commands without importing socialcli's own."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])
        added = _added_commands()
        if added:
            with formatter.section("Commands of plug-ins"):
                formatter.write_dl([(name, command.get_short_help_str()) for name, command in added.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; print the help if requested."""
        with _past_click():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        """Run the subcommand. Its return value is ignored; `Context.exit` sets an exit code."""
        with _past_click():
            super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and exit; with `standalone_mode=False` let every exception through."""
        work = functools.partial(super().main, args, prog_name, complete_var, False, **extra)
        if not standalone_mode:
            return work()
        logs.configure(style=_wanted_style(sys.argv[1:] if args is None else args))
        keep_freed_memory()
        with signals.handled():
            code = _exit_code(work)
        sys.exit(code)


def _wanted_style(args: Sequence[str]) -> str:
    """The log style that the command line requests, read before parsing so that parse errors use it too."""
    named = [*args, ""]
    pairs = {f"{one}={after}" for one, after in itertools.pairwise(named)} | set(named)
    variable = next((f"SOCIALCLI_{one.replace('-', '_').upper()}_LOG_FORMAT" for one in args if one[:1] != "-"), "")
    return "json" if "--log-format=json" in pairs or os.environ.get(variable) == "json" else "text"


def _wants_errors_alone(args: Sequence[str]) -> bool:
    """Whether -q is given twice; read before the command is known."""
    return "-qq" in args or sum(one in ("-q", "--quiet") for one in args) > 1


def _exit_code(work: Callable[[], int | None]) -> int:
    """Run `work`, report any error, and return the exit code."""
    try:
        code = work() or 0
        _flush_output()
        return code
    except click.ClickException as error:
        if logs.is_json():
            _log.error("%s", error.format_message())
        else:
            error.show()
        return error.exit_code
    except SocialcliError as error:
        _log.error("%s", error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, _Interrupted):
        _log.error("interrupted")
        return 128 + signal.SIGINT
    except Terminated:
        _log.error("terminated")
        return 128 + signal.SIGTERM
    except _BrokenPipe as error:
        return _system_error(error.error)
    except OSError as error:
        return _system_error(error)
    except Exception as error:  # the outermost handler: everything is reported
        return _bug(error)


_MAKE_ROOM = "free some space, or write to another disk, and run the command again"
_ADVICE = {  # what to do, by errno
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EFBIG: "the file system or a limit (`ulimit -f`) allows no larger file; write to another disk",
    errno.EROFS: "write to another place",
    errno.EACCES: "check its permissions, or write to another place",
    errno.EPERM: "check its permissions, or write to another place",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`) and run the command again",
    errno.EIO: "the disk is failing; check it and run the command again",
}


def _system_error(error: OSError) -> int:
    """Report an error of the operating system: a full disk, missing permissions, a closed standard output."""
    if isinstance(error, BrokenPipeError) and _reader_is_gone():
        return 128 + signal.SIGPIPE  # what shells expect of a process that the signal ended
    if error.errno is None:  # raised by a library, not by the operating system
        return _bug(error)
    where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
    advice = _ADVICE.get(error.errno)
    _log.error("%s%s%s", where, error.strerror, f"; {advice}" if advice else "")
    _log.debug("raised here", exc_info=error)
    return 1


def _bug(error: Exception) -> int:
    _log.error("unexpected failure", exc_info=error)
    _log.error("this is a bug in socialcli or in a plug-in; please report it with the lines above")
    return 1


def _flush_output() -> None:
    if sys.stdout is not None:  # None where the caller closed it
        sys.stdout.flush()


def _reader_is_gone() -> bool:
    """Whether the reader of standard output has gone; if so, drop the remaining output."""
    output = sys.stdout.fileno()
    poll = select.poll()
    poll.register(output, 0)  # reports errors only
    gone = bool(poll.poll(0))
    if gone:
        # Otherwise Python would try to write the rest at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return gone


@contextlib.contextmanager
def _past_click() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _BrokenPipe(error) from error
    except KeyboardInterrupt as error:
        if logs.is_json():
            raise _Interrupted from error
        raise


def _added_commands() -> dict[str, click.Command]:
    """Return the commands that plug-ins add. Conflicting or hidden commands cause a warning and are omitted."""
    try:
        provided = _plugin_registry().commands()
    except PluginError as error:
        _log.warning("%s", error)
        return {}
    for name in provided.keys() & COMMANDS.keys():
        _log.warning("socialcli's own command %r hides that of the plug-in %s", name, provided[name].origin)
    return {name: one.item for name, one in provided.items() if name not in COMMANDS}


def _plugin_registry() -> Registry:
    # Imported here because most commands need no plug-in and should start fast.
    from socialcli.plugins.registry import registry

    return registry()


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"socialcli {socialcli.__version__}")
        context.exit()


@click.group(
    name="socialcli",
    cls=Shell,
    context_settings={"auto_envvar_prefix": "SOCIALCLI", "help_option_names": ["--help", "-h"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def main() -> None:
    """Ask video language models about multi-speaker episodes, with attention alignment.

    Every option can also be set by an environment variable, SOCIALCLI_<COMMAND>_<OPTION>.
    SOCIALCLI_LOAD_PLUGINS lists the distributions whose plug-ins are loaded; if empty, only socialcli's own.
    """
