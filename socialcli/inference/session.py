"""(torch) One clip and the questions on it: the frames go through the model once, then each question runs its words.

session = ClipSession(model, episode, AskOptions(media_root=folder))
asked = session.ask(question, task)
plain, = session.score([asked])
raised, = session.score([asked], Alignment(alpha=1.0))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from socialcli.adapters.contract import Adapter, EncodedClip, EncodedPrompt
from socialcli.alignment.attention import Alignment, AlignmentReport, Watch, aligned
from socialcli.alignment.measuring import AttentionGauge
from socialcli.alignment.plan import AlignmentPlan, Indices, build_plan
from socialcli.episodes.records import Episode, Question
from socialcli.inference.decoding import candidate_scores, generate_greedily
from socialcli.inference.looking import AskOptions, look
from socialcli.inference.prefix import Continuation, Prefix, compute_prefix, continue_prefix
from socialcli.tasks.answers import parse_answer
from socialcli.tasks.base import Task
from socialcli.tasks.prompt import Prompt, build_prompt


@dataclass(frozen=True, slots=True, eq=False)
class AskedQuestion:
    """A prompt, ready for the model, with the plan of its alignment (None: no video to align to)."""

    question: Question
    prompt: Prompt
    encoded: EncodedPrompt
    plan: AlignmentPlan | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answered. `choice` is an index of the prompt's candidates, None for text that names none."""

    choice: int | None
    scores: tuple[float, ...] | None = None  # log-probabilities of the candidates; None for generated text
    text: str | None = None  # generated text
    active_heads: float | None = None  # share; None without alignment


class ClipSession:
    """A clip in the model: what its questions share, and how they are asked."""

    def __init__(self, adapter: Adapter, episode: Episode, options: AskOptions) -> None:
        """Sample and prepare the episode's frames. Nothing runs through the model yet. Raises VideoError."""
        self.adapter = adapter
        self.episode = episode
        self.options = options
        self.scene, self.frames = look(episode, options)
        self.clip: EncodedClip | None = adapter.encode_clip(self.frames) if self.frames is not None else None
        self._prefix: Prefix | None = None

    def ask(self, question: Question, task: Task) -> AskedQuestion:
        """Put a question into words, tokenize it, and plan its alignment. Raises AnnotationError and PromptError."""
        prompt = build_prompt(task, self.episode, question, self.scene, self.options.context)
        encoded = self.adapter.encode_prompt(prompt.text, prompt.spans, self.clip)
        plan = None
        if encoded.grid is not None and self.frames is not None:
            plan = build_plan(
                prompt.utterances,
                encoded.token_spans,
                encoded.grid,
                self.frames.times,
                self.episode.boxes,
                self.options.box_gap,
            )
        return AskedQuestion(question, prompt, encoded, plan)

    def score(self, asked: Sequence[AskedQuestion], alignment: Alignment | None = None) -> list[Answer]:
        """Rank the candidates of a batch of questions by the log-probability of their letters."""
        state, report = self._continue(asked, alignment)
        scores = [
            candidate_scores(self.adapter, row, question.prompt.letters)
            for row, question in zip(state.logits, asked, strict=True)
        ]
        return [
            Answer(max(range(len(row)), key=row.__getitem__), scores=row, active_heads=share)
            for row, share in zip(scores, _shares(report, len(asked)), strict=True)
        ]

    def generate(self, asked: Sequence[AskedQuestion], alignment: Alignment | None = None) -> list[Answer]:
        """Let the model answer a batch of questions in its own words, greedily, and parse them."""
        state, report = self._continue(asked, alignment)
        texts = generate_greedily(self.adapter, state)
        return [
            Answer(parse_answer(text, question.prompt.candidates), text=text, active_heads=share)
            for text, question, share in zip(texts, asked, _shares(report, len(asked)), strict=True)
        ]

    def gauge(self, asked: Sequence[AskedQuestion], alignment: Alignment, gauge: AttentionGauge) -> None:
        """Run a batch of questions for the attention alone, and add it to `gauge`."""
        gauge.expect([question.plan for question in asked if question.plan is not None], self.adapter.device)
        self.observe(asked, alignment, gauge.watch)

    def observe(
        self,
        asked: Sequence[AskedQuestion],
        alignment: Alignment,
        watch: Watch | None = None,
        watched: Sequence[Indices] | None = None,
    ) -> AlignmentReport:
        """Run a batch of questions with plans for the attention alone; `watch` and `watched` are those of `aligned`."""
        prefix = self._computed_prefix(asked[0])
        plans = [question.plan for question in asked if question.plan is not None]
        with aligned(self.adapter, plans, alignment, watch, watched) as report:
            continue_prefix(self.adapter, prefix, [question.encoded for question in asked])
        return report

    def _continue(
        self, asked: Sequence[AskedQuestion], alignment: Alignment | None
    ) -> tuple[Continuation, AlignmentReport | None]:
        prefix = self._computed_prefix(asked[0])
        prompts = [question.encoded for question in asked]
        plans = [question.plan for question in asked if question.plan is not None]
        if alignment is None or not plans:
            return continue_prefix(self.adapter, prefix, prompts), None
        with aligned(self.adapter, plans, alignment) as report:
            return continue_prefix(self.adapter, prefix, prompts), report

    def _computed_prefix(self, asked: AskedQuestion) -> Prefix:
        """The clip's prefix, which runs when a question first needs it. No bias reaches it."""
        if self._prefix is None:
            self._prefix = compute_prefix(self.adapter, self.clip, asked.encoded)
        return self._prefix


def _shares(report: AlignmentReport | None, count: int) -> Sequence[float | None]:
    if report is None:
        return [None] * count
    return report.active_share() or [0.0] * count
