"""The plans of the steering modes: rows, columns, pairs and their weights. Pure geometry, no torch.

`towards_speaker` is the method (arXiv 2511.17952). `both_ways` adds the people who could be meant, which that paper
names as future work. `gaze` raises the region that the question is about for the last prompt token, and lowers all
other visual tokens, as in work on gaze heads (arXiv 2606.14703).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from socialcli.alignment.plan import AlignmentPlan, Weights, build_plan
from socialcli.alignment.steering.prompt import SteeredPrompt


def towards_speaker(prompt: SteeredPrompt) -> AlignmentPlan:
    """The method's plan: the words of each utterance, towards the region of its speaker while it is said."""
    return build_plan(prompt.utterances, prompt.spans, prompt.grid, prompt.times, (), shown=prompt.regions)


def both_ways(prompt: SteeredPrompt, balance: float) -> AlignmentPlan:
    """The method's plan, and in the frames of the utterance in question also the people who could be meant.

    With b = `balance`, W is multiplied, and where several of these hold, by the sum:

        words of the utterance in question   1 - b towards its speaker, b towards each candidate's region
        a candidate's label in the question  b towards this candidate's region
        words of other utterances            1 towards their speakers

    b = 0 is the method. Labels do not select heads, so that the active heads are those of `speaker`.
    """
    plan = towards_speaker(prompt)
    if balance == 0:
        return plan
    labels = [(one, tokens) for one, tokens in prompt.labels if one in prompt.candidates]
    words = prompt.asked_words
    rows = np.unique(np.concatenate([plan.rows, words, *(tokens for _, tokens in labels)]))
    weights: Weights = np.zeros((rows.size, plan.columns.size), dtype=np.float32)
    others = np.zeros_like(weights, dtype=np.bool_)
    places = np.searchsorted(rows, plan.rows)
    weights[places], others[places] = plan.pairs, plan.others
    asked = np.searchsorted(rows, words)
    weights[asked] *= 1 - balance
    weights[asked] += balance * np.isin(plan.columns, prompt.region(prompt.candidates, prompt.steps))
    for speaker, tokens in labels:
        weights[np.searchsorted(rows, tokens)] = balance * np.isin(plan.columns, prompt.region([speaker], prompt.steps))
    pairs = weights != 0
    tested = np.isin(rows, plan.rows)
    return replace(plan, rows=rows, pairs=pairs, others=others & ~pairs, weights=weights, tested=tested)


def gaze(prompt: SteeredPrompt) -> AlignmentPlan:
    """The last prompt token: W towards the region in question, -W towards every other visual token.

    The region is that of `people_in_question` in `steps`. Where it has no token, nothing is steered.
    """
    method = towards_speaker(prompt)
    columns = prompt.grid.shown
    inside = np.isin(columns, prompt.region_in_question)
    pairs = np.full((1, columns.size), bool(inside.any()))
    weights: Weights = np.where(inside, np.float32(1), np.float32(-1))[None]
    return replace(
        method,
        rows=np.array([prompt.last], dtype=np.int64),
        columns=columns,
        pairs=pairs,
        others=np.zeros_like(pairs),
        weights=weights,
    )
