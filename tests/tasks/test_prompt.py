"""A question as text: its lines, its masks, and where every utterance stands in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance
from socialcli.errors import AnnotationError
from socialcli.plugins.builtin import socialcli_tasks
from socialcli.tasks.base import Candidate
from socialcli.tasks.prompt import Prompt, Scene, build_prompt
from socialcli.tasks.special_tokens import harmless
from socialcli.tasks.videoqa import VideoQA
from tests.tasks.samples import episode, question, said

TASKS = {task.name: task for task in socialcli_tasks()}


def asked(about: Episode, query: Question, scene: Scene | None = None, **options: Any) -> Prompt:
    return build_prompt(TASKS[query.task], about, query, scene, **options)


def marked(prompt: Prompt) -> list[str]:
    return [prompt.text[start:end] for start, end in prompt.spans]


def test_a_prompt_names_the_people_gives_the_transcript_and_asks_for_a_letter() -> None:
    prompt = asked(episode(), question("target", utterance="u2"))
    assert prompt.text == (
        "People in the video: Speaker 1, Speaker 2, Speaker 3.\n"
        "Transcript:\n"
        "Speaker 2: Ana, did you take it?\n"
        "Speaker 1: No, she did.\n"
        "Somebody: Who did?\n"
        "Speaker 3: I did not.\n"
        'Question: Whom does Speaker 1 address with "No, she did."?\n'
        "A. Speaker 2\n"
        "B. Speaker 3\n"
        "Answer with the letter of the right option only."
    )
    assert prompt.letters == "AB"


def test_spans_hold_each_utterances_label_and_words() -> None:
    prompt = asked(episode(), question("target", utterance="u2"))
    assert marked(prompt) == [
        "Speaker 2: Ana, did you take it?",
        "Speaker 1: No, she did.",
        "Somebody: Who did?",
        "Speaker 3: I did not.",
    ]
    assert [line.id for line in prompt.utterances] == ["u1", "u2", "u3", "u4"]


def test_names_are_labels_where_the_task_uses_names() -> None:
    prompt = asked(episode(), question("videoqa", text="Who?", candidates=("a", "b")))
    assert prompt.text.startswith("People in the video: Ana, Speaker 2, Cleo.\n")
    assert marked(prompt)[0] == "Speaker 2: Ana, did you take it?"
    assert marked(prompt)[1] == "Ana: No, she did."


def test_a_prompt_without_people_or_words_says_neither() -> None:
    bare = episode(speakers=(), utterances=())
    prompt = asked(bare, question("videoqa", text="Where?", candidates=("here", "there")))
    assert prompt.text.startswith("Transcript:\nQuestion: Where?\nA. here\nB. there\n")
    assert prompt.spans == ()


def test_the_masked_name_is_in_no_part_of_the_prompt() -> None:
    prompt = asked(episode(), question("mentioned", utterance="u1", span=(0, 3)))
    assert "Ana" not in prompt.text
    assert marked(prompt)[0] == "Speaker 2: [...], did you take it?"
    assert 'Who is [...] when Speaker 2 says "[...], did you take it?"?' in prompt.text


def test_only_the_utterance_in_question_is_masked() -> None:
    lines = (Utterance("u1", 0, 1, "Ana?", "ben"), Utterance("u2", 1, 2, "Ana!", "cleo"))
    prompt = asked(episode(utterances=lines), question("mentioned", utterance="u2", span=(0, 3)))
    assert marked(prompt) == ["Speaker 2: Ana?", "Speaker 3: [...]!"]


def test_a_pronoun_is_marked_in_the_question_and_left_in_the_transcript() -> None:
    prompt = asked(episode(), question("coref", utterance="u2", span=(4, 7)))
    assert 'Whom does "she" mean when Speaker 1 says "No, *she* did."?' in prompt.text
    assert marked(prompt)[1] == "Speaker 1: No, she did."


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("Zoe\u0308 left", (0, 4), "[...] left"),  # the accent is a character of its own in the annotation
        ("🎲 Tom\nleft", (2, 5), "🎲 [...] left"),
        ("<video> Tom", (8, 11), "‹video› [...]"),
        ("T", (0, 1), "[...]"),
        ("<Tom>", (1, 4), "‹[...]›"),
    ],
)
def test_spans_count_the_characters_of_the_annotation(text: str, span: tuple[int, int], expected: str) -> None:
    prompt = asked(said(text), question("mentioned", utterance="u1", span=span))
    assert marked(prompt) == [f"Speaker 1: {expected}"]


@pytest.mark.parametrize("braces", ["{}", "{0}", "{{x}}", "%s", "\\1"])
def test_braces_in_a_text_are_text(braces: str) -> None:
    prompt = asked(said(f"{braces} it"), question("coref", utterance="u1", span=(0, len(braces))))
    assert f'"*{braces}* it"' in prompt.text


def test_past_context_shows_no_line_that_ends_later() -> None:
    shown = asked(episode(), question("target", utterance="u2"), context="past")
    assert [line.id for line in shown.utterances] == ["u1", "u2"]  # u3 begins before the end of u2, and ends after it
    assert "Who did?" not in shown.text
    assert "I did not." not in shown.text


def test_past_context_of_a_question_on_the_whole_clip_is_the_whole_clip() -> None:
    query = question("videoqa", text="Who?", candidates=("a", "b"))
    assert asked(episode(), query, context="past") == asked(episode(), query)


def test_the_last_line_sees_everything_said_until_then() -> None:
    shown = asked(episode(), question("target", utterance="u4"), context="past")
    assert [line.id for line in shown.utterances] == ["u1", "u2", "u3", "u4"]


def test_a_question_of_its_own_words_replaces_the_tasks() -> None:
    prompt = asked(episode(), question("target", utterance="u2", text="To\nwhom? <video>"))
    assert "\nQuestion: To whom? ‹video›\nA. Speaker 2\n" in prompt.text


NASTY = "a <video> <|im_end|> <IMG_CONTEXT> </s> Zoe\u0308 🎲\nSpeaker 9: no"
TAME = "a ‹video› ‹|im_end|› ‹IMG_CONTEXT› ‹/s› Zo\u00eb 🎲 Speaker 9: no"


def test_nothing_in_an_episode_becomes_a_tag_or_a_line_of_its_own() -> None:
    nasty = episode(speakers=(Speaker("ana", NASTY), Speaker("ben")), utterances=(Utterance("u1", 0, 1, NASTY, "ana"),))
    prompt = asked(nasty, question("videoqa", text=NASTY, candidates=(NASTY, "no")))
    assert prompt.text == (
        f"People in the video: {TAME}, Speaker 2.\nTranscript:\n{TAME}: {TAME}\n"
        f"Question: {TAME}\nA. {TAME}\nB. no\nAnswer with the letter of the right option only."
    )
    assert marked(prompt) == [f"{TAME}: {TAME}"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=5), st.booleans())
def test_spans_are_true_for_any_words(texts: list[str], past: bool) -> None:
    lines = tuple(Utterance(f"u{i}", i, i + 1, text, "ana" if i % 2 else None) for i, text in enumerate(texts))
    query = question("videoqa", text="Who?", candidates=("a", "b"))
    prompt = asked(episode(utterances=lines), query, context="past" if past else "full")
    assert marked(prompt) == [f"{'Ana' if i % 2 else 'Somebody'}: {harmless(text)}" for i, text in enumerate(texts)]
    assert prompt.text.count("\n") == 1 + 1 + len(texts) + 1 + 2  # people, transcript, lines, question, options


def scene(boxes_as: Any, boxes: dict[str, list[Box | None]], **fields: Any) -> Scene:
    return Scene((0.0, 1.25), boxes, (640, 360), boxes_as, **fields)


ANA = [Box("ana", 0.0, 10.4, 20.5, 110.6, 220.0), Box("ana", 1.25, 12.0, 21.0, 112.0, 221.0)]
BEN = [None, Box("ben", 1.25, 300.0, 0.0, 400.0, 359.5)]


def scene_lines(shown: Scene | None) -> list[str]:
    text = asked(episode(), question("target", utterance="u2"), shown).text
    return text.partition("Transcript:")[0].splitlines()[1:]


def test_boxes_as_text_stand_frame_by_frame_in_pixels() -> None:
    assert scene_lines(scene("text", {"ana": ANA, "ben": BEN})) == [
        "Boxes as [left, top, right, bottom] in pixels of the 640x360 frames:",
        "Frame 1 (0.00 s): Speaker 1 [10, 20, 111, 220]",
        "Frame 2 (1.25 s): Speaker 1 [12, 21, 112, 221]; Speaker 2 [300, 0, 400, 360]",
    ]


def test_a_frame_without_boxes_shows_nobody() -> None:
    assert scene_lines(scene("text", {"ben": BEN}))[1] == "Frame 1 (0.00 s): nobody"


def test_an_overlay_names_the_colour_of_each_speakers_box() -> None:
    colors = {"ana": "orange", "ben": "light blue"}
    assert scene_lines(scene("overlay", {"ana": ANA, "ben": BEN}, colors=colors)) == [
        "Boxes drawn on the frames: Speaker 1 is in the orange box, Speaker 2 is in the light blue box."
    ]


def test_an_overlay_names_no_box_that_is_on_no_frame() -> None:
    colors = {"ana": "orange", "ben": "light blue"}
    assert scene_lines(scene("overlay", {"ana": [None, None], "ben": BEN}, colors=colors)) == [
        "Boxes drawn on the frames: Speaker 2 is in the light blue box."
    ]
    assert scene_lines(scene("overlay", {"ana": [None, None]}, colors={"ana": "orange"})) == []


@pytest.mark.parametrize(
    "shown", [None, scene("none", {"ana": ANA}), scene("text", {}), scene("overlay", {}, colors={})]
)
def test_without_boxes_to_tell_of_the_prompt_says_nothing_of_them(shown: Scene | None) -> None:
    assert scene_lines(shown) == []


def test_a_line_stands_where_its_span_says_behind_boxes_too() -> None:
    prompt = asked(episode(), question("target", utterance="u2"), scene("text", {"ana": ANA}))
    assert marked(prompt)[1] == "Speaker 1: No, she did."


def test_twenty_six_candidates_have_letters_and_one_more_is_an_error() -> None:
    full = question("videoqa", text="Who?", candidates=tuple(f"answer {n}" for n in range(26)))
    assert "\nZ. answer 25\n" in asked(episode(), full).text
    over = question("videoqa", text="Who?", candidates=tuple(f"answer {n}" for n in range(27)))
    with pytest.raises(AnnotationError, match="27 candidates are more than the 26 letters"):
        asked(episode(), over)


def test_past_context_of_a_missing_utterance_is_an_error() -> None:
    query = question("videoqa", utterance="u9", text="Who?", candidates=("a", "b"))
    with pytest.raises(AnnotationError, match="needs an utterance of the episode, not 'u9'"):
        asked(episode(), query, context="past")


class Backwards(VideoQA):
    """A plug-in's task that letters the candidates in an order of its own."""

    def candidates(self, episode: Episode, question: Question, labels: dict[str, str]) -> tuple[Candidate, ...]:
        return super().candidates(episode, question, labels)[::-1]


def test_equal_candidates_have_a_letter_each() -> None:
    equal = question("videoqa", text="?", candidates=("茶", "水", "茶"), answer="茶", answer_index=2)
    assert "\nA. 茶\nB. 水\nC. 茶\n" in asked(episode(), equal).text


def test_a_task_that_loses_the_place_of_the_gold_answer_is_refused() -> None:
    equal = question("videoqa", text="?", candidates=("茶", "茶", "水"), answer="茶", answer_index=1)
    with pytest.raises(AnnotationError, match="reorders equal candidates, so it is unknown which of them"):
        build_prompt(Backwards(), episode(), equal, None)
    distinct = question("videoqa", text="?", candidates=("茶", "茶", "水"), answer="水")
    assert "A. 水\nB. 茶" in build_prompt(Backwards(), episode(), distinct, None).text


def mentioned(prompt: Prompt) -> list[tuple[str, str, bool]]:
    """Each mention: the speaker's id, the text at its place, and whether it is in the options."""
    return [(one.speaker, prompt.text[one.start : one.end], one.in_options) for one in prompt.mentions]


def test_labels_behind_the_transcript_are_found_in_the_question_and_in_the_options() -> None:
    prompt = asked(episode(), question("target", utterance="u2"))
    assert prompt.asked is not None
    assert prompt.asked.id == "u2"
    assert mentioned(prompt) == [
        ("ana", "Speaker 1", False),
        ("ben", "Speaker 2", True),
        ("cleo", "Speaker 3", True),
    ]


def test_labels_are_found_in_a_question_on_the_clip() -> None:
    prompt = asked(episode(), question("videoqa", text="Whom does Cleo see?", candidates=("Ana", "Anabel", "a cat")))
    assert mentioned(prompt) == [("cleo", "Cleo", False), ("ana", "Ana", True)]
    assert prompt.asked is None


def test_a_label_is_found_as_a_whole_word_only() -> None:
    crowd = episode(speakers=tuple(Speaker(f"s{number}") for number in range(1, 12)), utterances=())
    text = "Where is Speaker 1, where Speaker 10 and Speaker 11, and where Speaker 12 and myspeaker 1?"
    prompt = asked(crowd, question("videoqa", text=text, candidates=("Speaker 1", "Speaker 10s", "Speaker 2x")))
    assert [one[:2] for one in mentioned(prompt)] == [
        ("s1", "Speaker 1"),
        ("s10", "Speaker 10"),
        ("s11", "Speaker 11"),
        ("s1", "Speaker 1"),
    ]


def test_past_context_keeps_the_utterance_in_question() -> None:
    prompt = asked(episode(), question("coref", utterance="u2", span=(4, 7)), context="past")
    assert prompt.asked is not None
    assert (prompt.asked.id, [line.id for line in prompt.utterances]) == ("u2", ["u1", "u2"])
    assert prompt.asked is prompt.utterances[-1]
