"""What the embedded checkpoint reads and says: tokenizer, chat template, answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as FastTokenizer
from transformers import Qwen2TokenizerFast  # pyright: ignore[reportPrivateImportUsage]

from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO, PromptOptions
from MiniCPMO45.sessions.duplex import DuplexSession
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.tokenizer import Tokenizer

RECORDED = Path(__file__).parents[1] / "golden" / "data"
SAMPLES = [
    "Hello, how are you today?",
    "你好，今天过得怎么样？",
    "12345 67.89\n\n\tindented  double  space   \n",
    "👩‍👩‍👧 naïve café",
    "<|im_start|>user\n<image><unk><unk></image>龘<|im_end|>\n<think>\n\n</think>\n\n<|tts_bos|>",
    "",
]


@pytest.fixture(scope="module")
def embedded_model(embedded_checkpoint: Path) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), max_length=2048)


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


# Tokenizer


@pytest.mark.parametrize("text", SAMPLES)
def test_text_survives_and_both_libraries_agree(embedded_checkpoint: Path, text):
    fast = FastTokenizer.from_file(str(embedded_checkpoint / "tokenizer.json"))
    slow = Qwen2TokenizerFast.from_pretrained(embedded_checkpoint)
    ids = fast.encode(text).ids
    assert slow.encode(text) == ids
    assert fast.decode(ids, skip_special_tokens=False) == text


def test_added_tokens_have_the_published_strings_order_and_flags(embedded_checkpoint: Path):
    folders = (embedded_checkpoint, RECORDED / "tiny")
    ours, published = (read_json(folder / "tokenizer.json")["added_tokens"] for folder in folders)
    without_ids = [[{**token, "id": None} for token in tokens] for tokens in (ours, published)]
    assert without_ids[0] == without_ids[1]
    ids = [token["id"] for token in ours]
    size = len(read_json(embedded_checkpoint / "vocab.json"))
    assert ids[0] < size  # <unk>
    assert ids[1:] == list(range(size, size + 105))


def test_declared_special_tokens_equal_the_published_ones(embedded_checkpoint: Path):
    ours, published = (
        read_json(folder / "special_tokens_map.json")
        for folder in (embedded_checkpoint, RECORDED / "tiny")
    )
    assert ours == published


def test_a_missing_tokenizer_json_is_rebuilt_with_equal_ids(
    embedded_checkpoint: Path, tmp_path: Path
):
    folder = shutil.copytree(embedded_checkpoint, tmp_path / "embedded")
    (folder / "tokenizer.json").unlink()
    rebuilt, whole = Tokenizer(folder), Tokenizer(embedded_checkpoint)
    assert [rebuilt.encode(text) for text in SAMPLES] == [whole.encode(text) for text in SAMPLES]


def test_frame_words_are_single_tokens(embedded_model: MiniCPMO):
    for text in ("user", "assistant", "system", "\n", "\n\n", "7"):
        assert len(embedded_model.tokenizer.encode(text)) == 1


def test_bad_ids_are_exactly_the_pieces_that_speech_cannot_say(embedded_model: MiniCPMO):
    tokenizer = embedded_model.tokenizer
    bad = set(tokenizer.bad_token_ids)
    for index in range(tokenizer.id_of("<|endoftext|>")):
        text = tokenizer.decode([index])
        assert (index in bad) == any(mark in text for mark in "()（）\n\r\ufffd")


# Chat template


def test_the_template_renders_every_recorded_conversation(embedded_model: MiniCPMO):
    cases = read_json(RECORDED / "cases" / "07_prompts.json")["template"]
    for case in cases:
        rendered = embedded_model.tokenizer.render(case["messages"], **case["options"])
        assert rendered == case["text"]


@pytest.mark.parametrize(
    ("messages", "options", "expected"),
    [
        pytest.param(
            [("system", "S1"), ("user", "U1"), ("system", "S2")],
            {},
            "<|im_start|>system\nS1<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n"
            "<|im_start|>system\nS2<|im_end|>\n",
            id="a system message in the middle",
        ),
        pytest.param(
            [("assistant", "A1")],
            {},
            "<|im_start|>assistant\nA1<|im_end|>\n",
            id="no question at all",
        ),
        pytest.param(
            [("user", "U1"), ("assistant", "\n<think>a</think>b<think>\nc\n</think>\n\nA1")],
            {},
            "<|im_start|>user\nU1<|im_end|>\n"
            "<|im_start|>assistant\n<think>\na\n</think>\n\nA1<|im_end|>\n",
            id="thoughts end before the first mark, the answer begins after the last",
        ),
        pytest.param(
            [
                ("user", "U1"),
                ("assistant", "A1"),
                ("user", "<tool_response>R</tool_response>"),
                ("assistant", "<think>t</think>A2"),
            ],
            {},
            "<|im_start|>user\nU1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
            "<|im_start|>user\n<tool_response>R</tool_response><|im_end|>\n"
            "<|im_start|>assistant\n<think>\nt\n</think>\n\nA2<|im_end|>\n",
            id="the response of a tool is no question",
        ),
        pytest.param(
            [("user", "U1")],
            {"add_generation_prompt": True, "enable_thinking": None, "use_tts_template": 1},
            "<|im_start|>user\nU1<|im_end|>\n<|im_start|>assistant\n",
            id="options act only as true booleans",
        ),
    ],
)
def test_the_template_renders(embedded_model: MiniCPMO, messages, options, expected):
    conversation = [{"role": role, "content": content} for role, content in messages]
    assert embedded_model.tokenizer.render(conversation, **options) == expected


# Answers

QUESTIONS = ["Hello", "你好，请介绍一下你自己。", "What is 2 + 2?", "Tell me a long story.\n" * 20]


@pytest.mark.parametrize("do_sample", [True, False], ids=["sampled", "greedy"])
@pytest.mark.parametrize("style", ["one_shot", "kv"])
def test_answers_are_readable_and_end_by_themselves(embedded_model: MiniCPMO, style, do_sample):
    options = GenerationOptions(
        streaming=style == "kv", do_sample=do_sample, max_new_tokens=600, length_penalty=1.1
    )
    added = set(embedded_model.tokenizer.added_strings)
    for seed, question in enumerate(QUESTIONS):
        with ChatSession(embedded_model, seed=seed) as session:
            session.prefill([ChatMessage("user", question)], PromptOptions(style=style))
            for _ in session.generate(options):
                pass
        answer = session.answer
        assert answer is not None
        assert answer.finish_reason == "stop"
        assert answer.n_tokens >= 3
        assert answer.text.isprintable()
        assert not any(token in answer.text for token in added)
        assert "\ufffd" not in answer.text


def test_different_questions_get_different_answers(embedded_model: MiniCPMO):
    answers = set()
    for number in range(8):
        with ChatSession(embedded_model) as session:
            session.prefill([ChatMessage("user", f"Question {number}: why? " * (number + 1))])
            for _ in session.generate(GenerationOptions(do_sample=False)):
                pass
        assert session.answer is not None
        answers.add(session.answer.text)
    assert len(answers) > 3


# Calls


def decisions(model: MiniCPMO, *, seed: int, n_units: int) -> list[tuple[bool, bool, str]]:
    second = np.random.default_rng(seed).standard_normal(16000).astype(np.float32) * 0.1
    with DuplexSession(model, DuplexOptions(generate_audio=False), seed=seed) as session:
        session.prepare("<|im_start|>system\nTalk.\n", "<|im_end|>")
        made = []
        for _ in range(n_units):
            session.prefill(second)
            result = session.generate()
            session.finalize()
            made.append((result.is_listen, result.end_of_turn, result.text))
    return made


def test_calls_listen_speak_and_end_their_turns(embedded_model: MiniCPMO):
    made = [unit for seed in range(3) for unit in decisions(embedded_model, seed=seed, n_units=20)]
    n_listened = sum(is_listen for is_listen, _, _ in made)
    n_ended = sum(end_of_turn for _, end_of_turn, _ in made)
    assert 10 < n_listened < 50
    assert n_ended >= 3
    assert all(text for is_listen, end_of_turn, text in made if not is_listen and not end_of_turn)


def test_nothing_is_decided_without_sound(embedded_model: MiniCPMO):
    marks = embedded_model.tokenizer.ids_of(["<|listen|>", "<|speak|>", "<|turn_eos|>"])
    with ChatSession(embedded_model, seed=0) as session:
        second = np.zeros(16000, np.float32)
        session.prefill([ChatMessage("user", [second])])
        for _ in session.generate(GenerationOptions(max_new_tokens=50)):
            pass
    assert session.answer is not None
    assert not set(marks) & set(session.answer.token_ids)
