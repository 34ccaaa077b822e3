"""Prompts in published vocabularies: answers are one token, every line is where its span says, and no text steers."""

from __future__ import annotations

import logging
import re
import string
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.utils import logging as transformers_logging

from socialcli.api import ask, open_clip
from socialcli.episodes.records import Episode, Question, Speaker, Utterance, Video
from socialcli.errors import PromptError
from socialcli.plugins.registry import registry
from socialcli.tasks.prompt import Prompt, build_prompt
from tests.conftest import CASES, SAMPLE, noise_frames, sample_episodes
from tests.models.vocabularies import PUBLISHED, own_ids, published_model, written

FRAMES = noise_frames(64, 48, count=4)
SPOKEN = (  # one word or more in every line, which tokenizers treat differently
    "it's  what  we’d   have   done ,    isn’t     it ?",
    "\ttabs\tbetween \t the words\t",
    "line\nbreaks\r\nand\n\n\nparagraphs\u2028and\u2029their\x0bseparators\x85",
    "no-break\u00a0spaces, \u2003em and\u3000ideographic ones, ▁ and ▁▁ too",
    "🎲👩‍🚀🏽🇩🇪 or ☺️?",
    "你在看谁？我在看她。 日本語のカタカナ、한국어도!",
    "من أخذها؟ هي أخذتْها 123٤٥٦، עברית",
    "Zoe\u0308 a\u0300 Malmo\u0308 \u1100\u1161\u11a8 q\u0323\u0307",
    "हिन्दी क्षत्रिय, ไทยไม่มีเว้นวรรค, ខ្មែរ",
    "1234567890 3.14159 10:45 $5,000.00 #1 100%%",
    'x != y && z >= 0 ? `f(a)[0]` : {"b": [1, 2]} // <= ... --- ___ ***',
    "\u200bzero\u200dwidth\ufeffand\u00adsoft hyphen",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ﬁne ½ ² Ⅷ",
    "...",
    "a" * 300,
    "ha" + "aaa " * 40 + "!" * 50,
    "",
)


@pytest.fixture(scope="module", params=PUBLISHED)
def published(request: pytest.FixtureRequest) -> Any:
    """Each family's sample checkpoint with its published vocabulary."""
    return published_model(str(request.param))


def conversation(lines: tuple[str, ...]) -> Prompt:
    """The prompt of a question on a clip in which two people, and somebody unknown, say these lines in turns."""
    speakers = (Speaker("a", "Zoe\u0308"), Speaker("b", "李 雷"))
    said = tuple(Utterance(f"u{i}", i, i + 1, text, ("a", "b", None)[i % 3]) for i, text in enumerate(lines))
    question = Question("q", "videoqa", text="Who has it?", candidates=("Zoë", "李 雷"))
    return build_prompt(
        registry().task("videoqa").item, Episode("e", Video("e.mp4", 64, 48), speakers, said, (), ()), question, None
    )


def sample_prompts() -> Iterator[Prompt]:
    """The prompt of each question of the sample."""
    for episode in sample_episodes():
        for question in episode.questions:
            yield build_prompt(registry().task(question.task).item, episode, question, None)


def assert_spans_decode(model: Any, prompt: Prompt) -> None:
    """The tokens of each line of the transcript decode to it, and between lines there are only line breaks."""
    encoded = model.encode_prompt(prompt.text, prompt.spans, None)
    for (start, end), span in zip(prompt.spans, encoded.token_spans, strict=True):
        assert spaced(written(model, encoded.ids[span])) == spaced(prompt.text[start:end])
        assert np.array_equal(span, np.arange(span[0], span[-1] + 1))
    for before, after in zip(encoded.token_spans, encoded.token_spans[1:], strict=False):
        assert before[-1] < after[0]
        assert not written(model, encoded.ids[before[-1] + 1 : after[0]]).strip()


def spaced(text: str) -> str:
    """Without the line's end; SentencePiece writes a space as this character, and reads it as a space."""
    return text.replace("\u2581", " ").strip()


def composed(text: str) -> str:
    """In Unicode's composed form, to which Qwen's tokenizer turns a text."""
    return unicodedata.normalize("NFC", text)


def test_the_letters_of_answers_are_one_token_each(published: Any) -> None:
    ids = {letter: published.continuation_ids(published.letter_prefix + letter) for letter in string.ascii_uppercase}
    assert {len(one) for one in ids.values()} == {1}
    assert len(set(ids.values())) == 26
    assert [published.decode(one).strip() for one in ids.values()] == list(string.ascii_uppercase)


def test_the_lines_of_the_sample_decode_to_themselves(published: Any) -> None:
    for prompt in sample_prompts():
        assert_spans_decode(published, prompt)


def test_lines_in_many_scripts_and_spaces_decode_to_themselves(published: Any) -> None:
    assert_spans_decode(published, conversation(SPOKEN))


def test_every_word_of_raw_text_decodes_to_itself(published: Any) -> None:
    text = "\n".join(SPOKEN).strip()
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    encoded = published.encode_prompt(text, spans, None)
    words = [composed(spaced(written(published, encoded.ids[span]))) for span in encoded.token_spans]
    assert words == [composed(spaced(text[start:end])) for start, end in spans]


def test_subtitles_from_the_field_decode_to_themselves(published: Any) -> None:
    files = [path for pattern in ("*.srt", "*.vtt") for path in sorted(CASES.glob(f"*/{pattern}"))]
    if not files:
        pytest.skip(f"the inputs from the field are not at hand ({CASES})")
    for path in files:
        assert_spans_decode(published, conversation(tuple(path.read_text("utf-8").splitlines())))


@pytest.mark.parametrize("with_video", [False, True])
def test_token_ids_are_those_of_the_processor(published: Any, with_video: bool) -> None:
    frames = FRAMES if with_video else None
    clip = published.encode_clip(FRAMES) if with_video else None
    for prompt in (conversation(SPOKEN), *list(sample_prompts())[:3]):
        encoded = published.encode_prompt(prompt.text, prompt.spans, clip)
        assert encoded.ids.tolist() == own_ids(published, prompt.text, frames=frames)


def test_a_letter_is_the_token_with_which_the_conversation_would_answer(published: Any) -> None:
    text = conversation(SPOKEN[:3]).text
    ids = published.encode_prompt(text, [], None).ids.tolist()
    answered = own_ids(published, text, "B")
    assert answered[: len(ids)] == ids
    assert (answered[len(ids)],) == published.continuation_ids(f"{published.letter_prefix}B")


def test_a_prompt_begins_with_one_begin_token_where_the_vocabulary_has_one(published: Any) -> None:
    ids = published.encode_prompt(conversation(SPOKEN).text, [], None).ids.tolist()
    begin = published.processor.tokenizer.bos_token_id
    assert ids.count(begin) == (begin is not None)
    assert begin is None or ids[0] == begin


def control_tokens(model: Any) -> list[str]:
    """The tokens with a meaning of their own, those that are white space aside."""
    added = [str(token) for token in model.processor.tokenizer.added_tokens_decoder.values()]
    return [token for token in added if spaced(token)]


@pytest.mark.parametrize("white", [" ", "\n", "\t", "\u2581"])
def test_runs_of_white_space_are_text(published: Any, white: str) -> None:
    """Gemma's tokenizer adds 92 of them as tokens, like control tokens."""
    for length in range(1, 33):
        text = f"Who{white * length}is it?"
        encoded = published.encode_prompt(text, [(0, len(text))], None)
        assert spaced(written(published, encoded.ids[encoded.token_spans[0]])) == spaced(text)


def test_every_control_token_in_raw_text_is_refused(published: Any) -> None:
    for token in control_tokens(published)[:400]:  # Gemma has 6,000 for future use
        with pytest.raises(PromptError, match=r"a control token of this model|model's own placeholder"):
            published.encode_prompt(f"Who said {token} there?", [], None)


def test_every_control_token_in_a_transcript_is_defused_or_refused(published: Any) -> None:
    tokens = [token for token in control_tokens(published) if not re.fullmatch(r"<unused\d{3,}>", token)]
    tags = [token for token in tokens if re.fullmatch(r"<[^<>\s]+>", token)]
    prompt = conversation(tuple(tags))
    assert_spans_decode(published, prompt)
    encoded = published.encode_prompt(prompt.text, prompt.spans, None)
    lines = np.concatenate([encoded.ids[span] for span in encoded.token_spans])
    assert not set(lines.tolist()) & set(published.processor.tokenizer.convert_tokens_to_ids(tokens))
    for token in set(tokens) - set(tags):
        with pytest.raises(PromptError, match="a control token of this model"):
            published.encode_prompt(conversation((token,)).text, [], None)


# Tokens of the lines below; another implementation of the vocabularies, in JavaScript, makes the same of their text.
TOKENS = {"llama2": 3920, "llama3": 2696, "qwen3": 2854, "gemma3": 2580}


def test_the_lines_of_a_long_prompt_have_the_published_number_of_tokens(published: Any) -> None:
    prompt = conversation(tuple(f"{line} ({number})" for number, line in enumerate(SPOKEN * 6)))
    clip = published.encode_clip(FRAMES)
    encoded = published.encode_prompt(prompt.text, prompt.spans, clip)
    assert sum(span.size for span in encoded.token_spans) == TOKENS[PUBLISHED[published.spec.name]]
    assert encoded.ids.tolist() == own_ids(published, prompt.text, frames=FRAMES)
    assert encoded.token_spans[0][0] >= encoded.prefix


def test_decoding_warns_of_nothing(published: Any, caplog: pytest.LogCaptureFixture) -> None:
    transformers_logging.warning_once.cache_clear()  # what was said once at loading is said again
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)
    try:
        published.decode(published.continuation_ids(f"{published.letter_prefix}B"))
    finally:
        logger.removeHandler(caplog.handler)
    assert not caplog.records


def test_generated_text_has_no_special_tokens(published: Any) -> None:
    added = published.processor.tokenizer.added_tokens_decoder
    special = [index for index, token in added.items() if token.special]
    assert published.decode([*published.continuation_ids(f"{published.letter_prefix}B"), *special]).strip() == "B"
    episode = sample_episodes()[0]
    clip = open_clip(published, episode, SAMPLE, frames=2)
    for answer in clip.generate([ask(clip, question) for question in episode.questions[:2]]):
        assert answer.text
        assert not [index for index in special if str(added[index]) in answer.text]


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=40), min_size=1, max_size=4)
)
def test_any_line_decodes_to_itself(published: Any, words: list[str]) -> None:
    assert_spans_decode(published, conversation(tuple(words)))
