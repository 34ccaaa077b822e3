"""(torch) The training loop: epochs of steps, with a state to resume from."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from socialcli.alignment.hooks import layers_of
from socialcli.errors import Terminated, TrainingError
from socialcli.inference.memory import is_out_of_memory
from socialcli.interrupts import uninterrupted
from socialcli.jobs.conditions import job_alignment
from socialcli.jobs.job import Job
from socialcli.jobs.lifecycle import Ending
from socialcli.jobs.prefetch import ahead
from socialcli.jobs.prepare import ask_options, loaded_identity, workers_of
from socialcli.settings.failures import FailureLimit
from socialcli.verbs.train.files import LogRow, TrainFolder, latest_accuracies, read_log, write_log
from socialcli.verbs.train.learning.examples import Course, Exercise, exercises
from socialcli.verbs.train.learning.preparing import PreparedRow, TrainingRowMaker
from socialcli.verbs.train.learning.schedule import Schedule
from socialcli.verbs.train.learning.state import Progress, load_state, save_state, telling_os_errors
from socialcli.verbs.train.learning.step import Stepper, StepReport, StepSettings, adamw
from socialcli.verbs.train.learning.validation import judge
from socialcli.verbs.train.loading import clip_memory, learner_of, load_model
from socialcli.verbs.train.manifest import TrainCounts, TrainManifest
from socialcli.verbs.train.material import Material
from socialcli.verbs.train.settings import TrainSettings

_log = logging.getLogger(__name__)

MOST_WARNINGS = 20  # of questions that cannot be learnt from


class Trainer:
    """One training whose model is loaded."""

    def __init__(self, job: Job, settings: TrainSettings, material: Material, folder: TrainFolder) -> None:
        """Load the model and prepare the weights to train. Raises CheckpointError and UsageError; writes nothing."""
        self._settings = settings
        self._job = job
        self._folder = folder
        self._material = material
        self._adapter = load_model(job, settings)
        self._alignment = job_alignment(job, self._adapter) if settings.ask.alignment.mode == "on" else None
        if self._alignment is not None:
            self._alignment.layers_of(layers_of(self._adapter))
        self._learner = learner_of(self._adapter, settings)
        self._optimizer = adamw(self._learner.parameters, settings.learning_rate, settings.weight_decay)
        self._options = ask_options(settings.ask)
        together = None if settings.questions_per_clip == "all" else settings.questions_per_clip
        found = [
            exercise
            for episode, questions in material.training
            for exercise in exercises(episode, questions, job.tasks, self._options)
        ]
        self._course = Course(found, together, settings.seed)
        self._maker = TrainingRowMaker(self._adapter, job.tasks, self._options, found, clip_memory(settings))
        self._per_epoch = -(-self._course.rows // settings.batch_size)
        self.steps = min(self._per_epoch * settings.epochs, settings.max_steps or 10**12)
        self._stepper = Stepper(
            self._adapter,
            self._learner,
            self._optimizer,
            Schedule(self.steps, settings.warmup, settings.schedule, settings.bias_warmup, settings.bias_floor),
            StepSettings(settings.learning_rate, settings.accumulate, settings.max_gradient, settings.seed),
            self._alignment,
        )
        self._lost: dict[str, str] = {}  # by the question's id
        self._log: list[LogRow] = []
        self._done = Progress(0, 0.0)
        self._saved = 0
        self._clock = time.perf_counter()

    def resume(self) -> None:
        """Continue from the state in the folder, if there is one. Raises InvalidInputError where it is damaged."""
        if not self._folder.state.exists():
            return
        self._done = load_state(self._folder.state, self._learner.parameters, self._optimizer)
        self._saved = self._done.step
        self._log = [row for row in read_log(self._folder.log) if row.step <= self._done.step]
        _log.info("resuming at step %d of %d", self._done.step, self.steps)

    def begin(self, identity: Mapping[str, Any], command: Sequence[str]) -> None:
        """Start the manifest of the training; see `TrainManifest` for `identity`."""
        self._begun = TrainManifest.begin(
            settings=self._settings.as_record(),
            identity=identity,
            command=command,
            model=loaded_identity(self._job.identity, self._adapter),
            resumed_from=self._done.step or None,
        )

    def manifest(self, ending: Ending | None) -> TrainManifest:
        """The content of train.json; `ending` is None while the training is on."""
        if ending is None:
            return self._begun
        problems = [*ending.problems, *self._problems()]
        accuracies = latest_accuracies(self._log)
        return self._begun.end(ending.outcome, ending.exit_code, self._counts(), accuracies, problems)

    def too_many_failed(self) -> bool:
        """Whether more questions were lost than `--max-failures` allows."""
        limit, counts = FailureLimit.parse(self._settings.ask.checks.max_failures), self._counts()
        return limit.exceeded(counts.lost + counts.unreadable, counts.questions + counts.unreadable)

    @contextmanager
    def saving_on_interrupt(self) -> Iterator[None]:
        """Save the state if an interrupt ends the block; it is still the interrupt that is raised."""
        try:
            yield
        except (KeyboardInterrupt, Terminated):
            with uninterrupted():
                try:
                    self._save()
                except OSError as error:
                    _log.warning("%s: the state cannot be saved: %s", self._folder.path, error.strerror)
            raise

    def rows(self) -> Iterator[LogRow]:
        """Learn, and yield the rows of the log one by one; those of an epoch's accuracy follow its last step."""
        self._clock = time.perf_counter() - self._done.seconds
        yield from self._learn()
        self._save()

    @property
    def target(self) -> Path:
        """The folder of the weights."""
        return self._folder.checkpoint if self._learner.lora is None else self._folder.adapter

    def write_results(self) -> None:
        """Write the weights and the picture. Raises OSError."""
        from socialcli.files import atomic_path
        from socialcli.verbs.train.plot import draw_training

        with atomic_path(self.target) as temporary, telling_os_errors(self.target):
            temporary.mkdir()
            self._learner.save(temporary)
        draw_training(self._folder.picture, self._log, self._title())

    def _learn(self) -> Iterator[LogRow]:
        done = self._done.step
        if self._ends_epoch(done) and not any(row.accuracy is not None and row.step == done for row in self._log):
            yield from self._judged(done)  # the interrupt came right before
        first, skipped = divmod(done, self._per_epoch)
        for epoch in range(first, self._settings.epochs):
            for row in self._updates(epoch, skipped if epoch == first else 0):
                yield row
                ended = self._ends_epoch(row.step)
                if ended:
                    yield from self._judged(row.step)
                if ended or row.step % self._settings.save_steps == 0:
                    self._save()

    def _ends_epoch(self, step: int) -> bool:
        return step > 0 and (step == self.steps or step % self._per_epoch == 0)

    def _updates(self, epoch: int, skipped: int) -> Iterator[LogRow]:
        """Do the steps of an epoch except the first `skipped`, and none beyond the last step of the training."""
        rows = self._course.epoch(epoch)
        size = self._settings.batch_size
        starts = range(0, len(rows), size)[skipped : max(0, self.steps - epoch * self._per_epoch)]
        batches = (rows[start : start + size] for start in starts)
        prepared = ahead(self._prepare, batches, workers_of(self._settings.ask, self._adapter))
        for step, (_, found) in enumerate(prepared, start=epoch * self._per_epoch + skipped + 1):
            self._count_lost(found)
            report = self._gradient(step, found)
            with uninterrupted():  # weights, step and log must match
                if report is not None:
                    self._stepper.apply(report)
                self._done = Progress(step, time.perf_counter() - self._clock)
                self._log.append(self._update_row(step, epoch, report))
            yield self._log[-1]

    def _gradient(self, step: int, found: Sequence[PreparedRow]) -> StepReport | None:
        """The gradient of a step; None if none of its questions could be prepared."""
        rows = [one.row for one in found if one.row is not None]
        try:
            return self._stepper.gradient(step, rows) if rows else None
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            longest = max(row.ids.size for row in rows)
            raise TrainingError(
                f"step {step}: out of memory with {len(rows)} rows of up to {longest} tokens; raise --accumulate, "
                "add --gradient-checkpointing, or take fewer --frames"
            ) from error

    def _prepare(self, batch: Sequence[Exercise]) -> list[PreparedRow]:
        return [self._maker.make(exercise) for exercise in batch]

    def _judged(self, step: int) -> list[LogRow]:
        """The accuracy on the validation split, as `socialcli run` would find it; logged in one piece."""
        if not self._material.validation:
            return []
        split = self._material.validation[0][0].split
        scores = judge(self._adapter, self._material.validation, self._job.tasks, self._options, self._alignment)
        seconds = time.perf_counter() - self._clock
        rows = [
            LogRow(
                step=step,
                epoch=-(-step // self._per_epoch),
                split=split,
                task=score.task,
                questions=score.questions,
                accuracy=score.right / score.questions,
                failed=score.failed,
                seconds=seconds,
            )
            for score in scores
        ]
        self._log += rows
        return rows

    def _update_row(self, step: int, epoch: int, report: StepReport | None) -> LogRow:
        row = LogRow(
            step=step, epoch=epoch + 1, split=self._settings.train_split, questions=0, seconds=self._done.seconds
        )
        if report is None:
            return row
        return replace(
            row,
            loss=report.loss,
            learning_rate=report.learning_rate,
            bias_floor=report.bias_floor,
            gradient=report.gradient,
            active_heads=report.active_heads,
            questions=report.questions,
        )

    def _save(self) -> None:
        """Save the log, then the state: `resume` drops rows of the log that are newer than the state."""
        if self._done.step == self._saved:
            return
        with uninterrupted():
            write_log(self._folder.log, self._log)
            save_state(self._folder.state, self._learner.parameters, self._optimizer, self._done)
            self._saved = self._done.step

    def _count_lost(self, found: Sequence[PreparedRow]) -> None:
        for one in found:
            for question, error in one.lost.items():
                if question not in self._lost:
                    self._lost[question] = f"question {question!r}: {error.record}"
                    if len(self._lost) <= MOST_WARNINGS:
                        _log.warning("cannot be learnt from: %s", self._lost[question])

    def _counts(self) -> TrainCounts:
        training, validation = self._material.training, self._material.validation
        return TrainCounts(
            episodes=len(training),
            questions=sum(len(questions) for _, questions in training),
            validation_episodes=len(validation),
            validation_questions=sum(len(questions) for _, questions in validation),
            unlabelled=self._material.unlabelled,
            unreadable=len(self._material.problems),
            lost=len(self._lost),
            rows=self._course.rows,
            steps=self.steps,
            steps_done=self._done.step,
            weights=sum(weight.numel() for weight in self._learner.parameters.values()),
        )

    def _title(self) -> str:
        rank = self._settings.lora_rank
        what = "all weights" if self._learner.lora is None else f"LoRA of rank {rank}"
        return f"{self._settings.ask.model.name}, {what}, {Path(self._settings.ask.selection.episodes).name}"

    def _problems(self) -> list[str]:
        return [*self._material.problems, *self._lost.values()]
