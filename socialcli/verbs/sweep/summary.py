"""What a sweep prints at its end: accuracy by setting, and the chosen settings in the other splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from socialcli.jobs.grid import OPTIONS, Setting, SweptOption, dashed, short
from socialcli.results.predictions import METHOD_VALUES
from socialcli.stats.accuracy import AccuracyRow
from socialcli.stats.notes import alike_answers, few_episodes
from socialcli.text_table import laid_out, p_value, percent, percent_interval
from socialcli.verbs.sweep.choice import RULE, Choice, Comparison, SweepTable
from socialcli.verbs.sweep.files import Sweep

_TOGETHER = "all tasks"
_HEAD = (
    *("chosen for", "setting", "task", "split"),
    *("n", "accuracy", "95% interval", "plain", "95% interval", "p", "McNemar p"),
)
_FIGURES = 7  # the last of these, aligned to the right


def summary_lines(sweep: Sweep, table: SweepTable) -> str:
    """The tables as text, without a newline at the end; accuracies in percent, "-" for none.

    Accuracy by setting in the validation split, with the chosen settings marked, then these in the test splits. Without
    labelled validation questions, accuracy by setting in all splits.
    """
    splits = sweep.splits
    to_choose_on = splits.validation is not None and table.labelled(splits.validation)
    shown = (splits.validation,) if to_choose_on else splits.test
    parts = [_by_setting(sweep, table, split) for split in shown if table.labelled(split)]
    if sweep.best:
        parts += [_reported(sweep.best), _repeated(sweep)]
    return "\n\n".join(parts) or "no labelled question was asked, so there is no accuracy to show"


def summary_json(sweep: Sweep, table: SweepTable, output: Path) -> dict[str, Any]:
    """The same as JSON values, with the output folder and the outcome of the sweep."""
    record = sweep.as_record()
    shown = ("outcome", "exit_code", "seconds", "counts", "warnings", "splits", "best")
    asked = [split for split in (sweep.splits.validation, *sweep.splits.test) if table.labelled(split)]
    rows = [row for split in dict.fromkeys(asked) for row in table.rows(split, table.tasks)]
    return {
        "output": str(output),
        **{name: record[name] for name in shown},
        "accuracy": [row.as_record() for row in rows],
    }


def _by_setting(sweep: Sweep, table: SweepTable, split: str | None) -> str:
    tasks = table.labelled(split)
    chosen = {choice.task: choice.setting for choice in sweep.best if split == sweep.splits.validation}
    columns: list[tuple[str | None, tuple[str, ...]]] = [(task, (task,)) for task in tasks]
    if len(tasks) > 1:
        columns.append((None, tasks))

    shown = [*OPTIONS[:4], *(one for one in OPTIONS[4:] if _differs(one, table.settings))]

    def cells(setting: Setting) -> Iterator[str]:
        values = setting.as_record()
        yield from ("-" if values[option] is None else short(values[option]) for option in shown)
        for task, together in columns:
            mark = " *" if chosen.get(task) == setting else "  "
            yield percent(table.mean(split, together, setting)) + mark

    head = [*(dashed(option) for option in shown), *(f"{task or _TOGETHER}  " for task, _ in columns)]
    title = f"accuracy in the split {split}" if split is not None else "accuracy of the episodes without a split"
    title += "; *: the best of a column, the nearest to the plain model (-) among equals" if chosen else ""
    return f"{title}\n{laid_out([head, *map(list, map(cells, table.settings))], len(shown))}"


def _differs(option: SweptOption, settings: Sequence[Setting]) -> bool:
    """Whether a setting has a value of the option that is not the method's."""
    return any(setting.as_record()[option] not in (None, METHOD_VALUES.get(option)) for setting in settings)


def _reported(best: Sequence[Choice]) -> str:
    lines = [list(line) for choice in best for comparison in choice.test for line in _compared(choice, comparison)]
    if not lines:
        return "no other split has a labelled question to report the chosen settings on"
    shown = [row for choice in best for comparison in choice.test for row, _ in comparison.rows]
    table = laid_out([list(_HEAD), *lines], len(_HEAD) - _FIGURES)
    return "\n".join(["the chosen settings in the other splits", table, *few_episodes(shown), *alike_answers(shown)])


def _repeated(sweep: Sweep) -> str:
    """How the settings were chosen, and the commands that ask them again."""
    runs = [f"{choice.task or _TOGETHER}: {run}" for choice in sweep.best for run in sweep.runs(choice)]
    return "\n".join([f"chosen on {sweep.splits.validation}: {RULE}", *(["to repeat", *runs] if runs else [])])


def _compared(choice: Choice, comparison: Comparison) -> Iterator[tuple[str, ...]]:
    named = (choice.task or _TOGETHER, str(choice.setting) or "plain model")
    split = "-" if comparison.split is None else comparison.split
    for chosen, plain in comparison.rows:
        figures = (percent(chosen.accuracy), _interval(chosen), percent(plain.accuracy), _interval(plain))
        yield *named, chosen.task, split, str(chosen.n), *figures, *map(p_value, comparison.test(chosen.task))
    if choice.task is None:
        chosen_mean, plain_mean = comparison.means
        tests = map(p_value, comparison.test(*comparison.tasks))
        yield *named, "mean", split, "", percent(chosen_mean), "", percent(plain_mean), "", *tests


def _interval(row: AccuracyRow) -> str:
    return percent_interval(row.ci_low, row.ci_high)
