"""(torch) The work of a measurement: one model, one episode after the other, for the attention alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from socialcli.alignment.attention import Alignment
from socialcli.alignment.figures import FigureSums
from socialcli.alignment.layers import resolve_layers
from socialcli.alignment.measuring import AttentionGauge
from socialcli.alignment.plan import AlignmentPlan
from socialcli.engines.checking import Job
from socialcli.engines.local import ask_options, loaded_identity
from socialcli.engines.measured import Failure, MeasuredEpisode
from socialcli.engines.selection import Selection
from socialcli.episodes.reading import BadQuestion
from socialcli.episodes.records import Episode, Question
from socialcli.errors import AnnotationError, ModelError, QuestionError
from socialcli.inference.episode import known_until, last_moment
from socialcli.inference.session import AskedQuestion, ClipSession

Outcome = FigureSums | Failure  # of a batch of questions, or of one


class Measurer:
    """Measures one model's attention on episodes."""

    def __init__(self, job: Job) -> None:
        """Load the model.

        Raises CheckpointError where it cannot be had, UsageError for a device or layers that are not there.
        """
        settings = job.settings
        self._adapter = job.model.item.load(job.load_options)
        self.shape = len(self._adapter.layers), int(self._adapter.model.config.get_text_config().num_attention_heads)
        self.chosen = resolve_layers(settings.layers, self.shape[0])
        self.identity = loaded_identity(job.identity, self._adapter)
        self._tasks = job.tasks
        self._alignment = Alignment(settings.alpha, settings.lambda_, settings.layers, job.rule)
        self._options = ask_options(settings)

    def measure(self, selection: Selection) -> MeasuredEpisode:
        """The sums over the selected questions of an episode, and why some of them have no part in these."""
        sums = FigureSums(*self.shape)
        place = f"{selection.row.source_name}:{selection.row.row}"
        bad = [question for question in selection.questions if isinstance(question, BadQuestion)]
        failures = [Failure(one.id or place, AnnotationError(one.message).record) for one in bad]
        good = [question for question in selection.questions if isinstance(question, Question)]
        for outcome in self._outcomes(selection.row.episode, good):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                sums.add(outcome)
        failed = {failure.question_id for failure in failures}
        tasks = dict.fromkeys(question.task for question in good if question.id not in failed)
        return MeasuredEpisode(selection.row, sums, tuple(tasks), tuple(failures))

    def _outcomes(self, episode: Episode | None, questions: Sequence[Question]) -> Iterator[Outcome]:
        """Questions that see the same frames go through the model together, as in a run."""
        if episode is None:
            return
        ends = {question.id: last_moment(episode, question, self._options) for question in questions}
        by_end = sorted(questions, key=lambda question: ends[question.id])
        for end, group in groupby(by_end, key=lambda question: ends[question.id]):
            yield from self._of_clip(known_until(episode, end), list(group))

    def _of_clip(self, episode: Episode, questions: Sequence[Question]) -> Iterator[Outcome]:
        try:
            session = ClipSession(self._adapter, episode, self._options)
        except QuestionError as error:
            yield from (Failure(question.id, error.record) for question in questions)
            return
        asked: list[AskedQuestion] = []
        for question in questions:
            try:
                one = session.ask(question, self._tasks[question.task])
                _check_measurable(one.plan)
                asked.append(one)
            except QuestionError as error:
                yield Failure(question.id, error.record)
        size = self._options.batch_size
        for start in range(0, len(asked), size):
            yield from self._of_batch(session, asked[start : start + size])

    def _of_batch(self, session: ClipSession, batch: Sequence[AskedQuestion]) -> Iterable[Outcome]:
        """Where the model fails on a batch, its questions are tried one by one."""
        gauge = AttentionGauge(*self.shape)
        try:
            session.gauge(batch, self._alignment, gauge)
            if not gauge.sums.finite:
                raise ModelError("the model's attention is not made of numbers; try --dtype float32")
        except QuestionError as error:
            if len(batch) > 1:
                return [outcome for one in batch for outcome in self._of_batch(session, [one])]
            return [Failure(batch[0].question.id, error.record)]
        return [gauge.sums]


def _check_measurable(plan: AlignmentPlan | None) -> None:
    """Raise AnnotationError where no word looks at a region of a speaker."""
    if plan is None or not plan.rows.size:
        raise AnnotationError("nothing to measure: the prompt has no words of a known speaker; say who speaks")
    if not plan.columns.size:
        raise AnnotationError(
            "nothing to measure: no box covers a visual token in the sampled frames; "
            "add boxes near the times of the frames, or raise --box-gap"
        )
    if not (plan.pairs.any() or plan.others.any()):
        raise AnnotationError(
            "nothing to measure: nobody has a box while a known speaker talks; "
            "add boxes near the times of the utterances, or raise --box-gap"
        )
