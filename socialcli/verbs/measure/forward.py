"""(torch) Measures one model's attention, one episode after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.alignment.head_attention import AttentionGauge
from socialcli.alignment.head_stats import FigureSums
from socialcli.alignment.hooks import attention_kernel, layers_of, visual_layers
from socialcli.alignment.plan import AlignmentPlan
from socialcli.episodes.reading import BadQuestion
from socialcli.episodes.records import Episode, Question
from socialcli.errors import AnnotationError, ModelError, QuestionError
from socialcli.inference.attention_pass import gauge
from socialcli.inference.batching import BatchLimit, batches, in_parts
from socialcli.inference.clip import ClipQuestion, FailedQuestion, PreparedQuestion
from socialcli.inference.preparation import prepare_episode
from socialcli.jobs.conditions import alignment_of
from socialcli.jobs.job import Job
from socialcli.jobs.prefetch import ahead
from socialcli.jobs.prepare import ask_options, clip_digest, loaded_identity, workers_of
from socialcli.jobs.rows import RowMaker
from socialcli.jobs.selection import Selection
from socialcli.models.contract import choices_of
from socialcli.results.earlier import EarlierRows
from socialcli.results.keys import answer_key
from socialcli.verbs.measure.episode_sums import EpisodeSums, Failure
from socialcli.verbs.measure.totals import EpisodeMeasurement

FIGURES_VERSION = 2  # raise it when the figures of the same questions change

Store = Callable[[EpisodeSums], None]
BatchResult = FigureSums | Failure  # of a batch of questions, or of a single one


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """The good questions of an episode, which lack nothing but the figures."""

    key: str
    asked: Sequence[Question]  # in the order of the file
    questions: Sequence[PreparedQuestion] | None  # None: the figures exist already


class Measurer:
    """Measures one model's attention on episodes."""

    def __init__(self, job: Job) -> None:
        """Load the model.

        Raises CheckpointError if it cannot be loaded, UsageError for a missing device or missing layers.
        """
        settings = job.settings
        self._adapter = job.model.item.load_checked(job.load_options)
        self.shape = len(self._adapter.layers), int(self._adapter.model.config.get_text_config().num_attention_heads)
        self.decoder = layers_of(self._adapter)
        self.chosen = self.decoder.choose(settings.alignment.layers)
        self.visual_layers = visual_layers(self._adapter)
        self.identity = loaded_identity(job.identity, self._adapter)
        self._alignment = alignment_of(settings.alignment, job.rule)
        self._rows = RowMaker(
            settings=settings,
            model=self.identity,
            tasks=job.tasks,
            conditions=[self._alignment],
            choices=choices_of(self._adapter, job.load_options),
            decoder=self.decoder,
        )
        self._tasks = job.tasks
        self._options = ask_options(settings)
        self._attn = settings.compute.attn
        with attention_kernel(self._adapter, self._attn):
            pass  # report a missing kernel before the work begins
        self._limit = BatchLimit(self._options.batch_size)
        self._workers = workers_of(settings, self._adapter)

    @property
    def files(self) -> list[Path]:
        """The folders of the weights."""
        return [folder for folder in (self._adapter.folder, self._adapter.lora) if folder is not None]

    def measure(
        self, selections: Iterable[Selection], kept: EarlierRows[EpisodeSums], store: Store
    ) -> Iterator[EpisodeMeasurement]:
        """Of each selection the sums over its questions, and the errors of those that could not be measured.

        An episode that is `kept` is not measured again, unless its questions have changed; `store` gets those that are.
        Threads read the next clips while the model works.
        """
        for selection, prepared in ahead(lambda one: self._prepare(one, kept), selections, self._workers):
            yield self._measurement(selection, prepared, kept, store)

    def _prepare(self, selection: Selection, kept: EarlierRows[EpisodeSums]) -> _Prepared | None:
        episode = selection.row.episode
        good = [question for question in selection.questions if isinstance(question, Question)]
        if episode is None or not good:
            return None
        media = clip_digest(episode, self._options)
        keys = [keys for question in good for keys in self._rows.keys(episode, media, question)]
        key = answer_key({"figures": FIGURES_VERSION, "questions": keys})
        if key in kept:
            return _Prepared(key, good, None)
        return _Prepared(key, good, prepare_episode(self._adapter, episode, good, self._tasks, self._options))

    def _measurement(
        self, selection: Selection, prepared: _Prepared | None, kept: EarlierRows[EpisodeSums], store: Store
    ) -> EpisodeMeasurement:
        place = f"{selection.row.source_name}:{selection.row.row}"
        bad = [question for question in selection.questions if isinstance(question, BadQuestion)]
        failures = [Failure(one.id or place, AnnotationError(one.message).record) for one in bad]
        if prepared is None:
            return EpisodeMeasurement(selection.row, FigureSums(*self.shape), (), tuple(failures))
        if prepared.questions is None:
            row, count = kept.row(prepared.key), len(prepared.asked)
        else:
            assert selection.row.episode is not None
            row, count = self._summed(selection.row.episode, prepared.asked, prepared.key, prepared.questions), 0
            store(row)
        return EpisodeMeasurement(selection.row, row.sums, row.tasks, (*failures, *row.failures), row, kept=count)

    def _summed(
        self, episode: Episode, asked: Sequence[Question], key: str, questions: Sequence[PreparedQuestion]
    ) -> EpisodeSums:
        sums = FigureSums(*self.shape)
        failures = []
        for result in self._results(questions):
            if isinstance(result, Failure):
                failures.append(result)
            else:
                sums.add(result)
        failed = {failure.question_id for failure in failures}
        plans = [one.plan for one in questions if isinstance(one, ClipQuestion) and one.plan is not None]
        return EpisodeSums(
            key=key,
            episode_id=episode.episode_id,
            tasks=tuple(dict.fromkeys(question.task for question in asked if question.id not in failed)),
            failures=tuple(failures),
            sums=sums,
            reached=max(((plan.utterances, plan.covered) for plan in plans), default=(None, None)),
        )

    def _results(self, questions: Sequence[PreparedQuestion]) -> Iterator[BatchResult]:
        """Questions that see the same frames go through the model together, as in a run."""
        yield from (Failure(one.question.id, one.error.record) for one in questions if isinstance(one, FailedQuestion))
        measurable = []
        for one in questions:
            if isinstance(one, ClipQuestion):
                try:
                    _check_measurable(one.plan)
                    measurable.append(one)
                except QuestionError as error:
                    yield Failure(one.question.id, error.record)
        for batch in batches(measurable, self._adapter, self._limit):
            for part, sums in in_parts(batch, self._sums, self._limit):
                yield Failure(part[0].question.id, sums.record) if isinstance(sums, QuestionError) else sums

    def _sums(self, batch: Sequence[ClipQuestion]) -> FigureSums:
        """The sums over a batch. Raises ModelError if the model's attention is not made of numbers."""
        figures = AttentionGauge(*self.shape)
        with attention_kernel(self._adapter, self._attn):
            gauge(self._adapter, batch, self._alignment, figures)
        if not figures.sums.finite:
            raise ModelError("the model's attention is not made of numbers; try --dtype float32")
        return figures.sums


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
