"""Training the embedded model: what it reads is what is served, and its forward is the same."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from MiniCPMO45 import ChatMessage, ChatSession, MiniCPMO, StreamingSession
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.hift import HiFT
from tests.unit.nano_small import (
    assert_answers,
    learnt_parts,
    small_checkpoint,
    small_model,
    trained_states,
    written_answers,
)
from training.nano import model as nano
from training.nano import train_text
from training.nano.dialogues import Dialogue, training_dialogues
from training.nano.exchange import Exchange
from training.nano.making import Making
from training.nano.packing import NOT_LEARNT, Rows, TextRows, passes, table_of
from training.nano.rendering import Renderer
from training.nano.speech_codec import SpeechCodec
from training.nano.token2wav import FLOW, HIFT

DIALOGUE = Dialogue(
    "name recall",
    (
        Exchange("My name is Ada.", "Nice to meet you, Ada!"),
        Exchange("What is my name?", "Your name is Ada."),
    ),
    system="Be brief.",
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_checkpoint(tmp_path_factory.mktemp("nano") / "untrained", n_dialogues=1500)


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> MiniCPMO:
    return small_model(checkpoint)


@pytest.fixture(scope="module")
def renderer(checkpoint: Path) -> Renderer:
    return Renderer(checkpoint)


def learnt_text(renderer: Renderer, sequence) -> str:
    pairs = zip(sequence.ids, sequence.learnt, strict=True)
    return renderer.tokenizer.decode([index for index, is_learnt in pairs if is_learnt])


def test_the_model_fits_the_repository_as_8_bit_integers():
    with torch.device("meta"):
        sound = (SpeechCodec().tokenizer, SpeechCodec().speaker, Flow(FLOW), HiFT(HIFT))
    n_of_sound = sum(each.numel() for part in sound for each in part.parameters())
    with_scales_and_tables = 1.04
    assert (sum_of_shapes() + n_of_sound) * with_scales_and_tables <= 20_000_000


def test_no_conversation_gets_longer_than_what_was_trained(checkpoint: Path):
    served = MiniCPMO.load(str(checkpoint))
    assert served.language.cache.capacity == nano.LONGEST_CONVERSATION


def sum_of_shapes() -> int:
    from MiniCPMO45.tiny.layout import checkpoint_layout
    from MiniCPMO45.tiny.tokenizer import train_tokenizer

    config = nano.nano_config(train_tokenizer()) | {"vocab_size": 2500}
    shapes = checkpoint_layout(config).values()
    return sum(int(torch.tensor(shape).prod()) for shape in shapes)


def test_chinese_characters_that_are_answered_are_whole_pieces(model: MiniCPMO):
    tokenizer = model.tokenizer
    barred = set(tokenizer.speech_suppressed_ids)
    for text in (
        "对不起，我不知道。我只是一个小玩具模型。",
        "星期三",
        "I see no shape that I know.",
    ):
        assert not barred.intersection(tokenizer.encode_plain(text))


# Rendering


def test_a_chat_is_read_as_the_session_reads_it(model: MiniCPMO, renderer: Renderer):
    sequence = renderer.chat(DIALOGUE)
    messages = [
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "My name is Ada."),
        ChatMessage("assistant", "Nice to meet you, Ada!"),
        ChatMessage("user", "What is my name?"),
    ]
    with ChatSession(model) as session:
        prompt = session.prefill(messages)
    assert prompt.n_tokens == sequence.learnt.index(True)
    assert learnt_text(renderer, sequence) == "Your name is Ada.<|im_end|>"


def test_an_answer_that_may_be_spoken_ends_its_speech_first(renderer: Renderer):
    sequence = renderer.chat(DIALOGUE, on_socket=True, speech=True)
    assert renderer.tokenizer.decode(sequence.ids).endswith(
        "<|im_end|>\n<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n<|tts_bos|>"
        "Your name is Ada.<|tts_eos|><|im_end|>"
    )


def test_turns_are_read_as_a_streamed_conversation_reads_them(
    model: MiniCPMO, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
):
    answers = [exchange.answer for exchange in DIALOGUE.exchanges]
    with written_answers(monkeypatch, model, answers) as fed, StreamingSession(model) as session:
        fed += session.prefill(ChatMessage("system", "Be brief.")).ids
        for exchange in DIALOGUE.exchanges:
            fed += session.prefill(ChatMessage("user", exchange.user)).ids
            list(session.generate())
    ending = renderer.tokenizer.ids_of(["<|tts_eos|>", "<|im_end|>"])
    assert renderer.turns(DIALOGUE).ids == fed + ending


# Batches


def test_a_batch_gives_the_hidden_states_of_the_inference_path(model: MiniCPMO, renderer: Renderer):
    sequences = [renderer.chat(DIALOGUE), renderer.turns(DIALOGUE)]
    rows = Rows.of([table_of(sequences, 256)], torch.device("cpu"))
    batch = trained_states(model, rows, model.llm.embed(rows.ids))
    for segment, sequence in enumerate(sequences, start=1):
        with ChatSession(model) as session:
            alone = session.feed_ids(sequence.ids)
        torch.testing.assert_close(batch[rows.segments == segment], alone, atol=2e-4, rtol=1e-4)


def test_each_target_is_the_next_token_of_an_answer(renderer: Renderer):
    sequence = renderer.chat(DIALOGUE)
    ids, targets, _ = table_of([sequence], 256)
    learnt = targets != NOT_LEARNT
    assert targets[learnt].tolist() == ids[1:][learnt[:-1]].tolist()
    assert int(learnt.sum()) == sum(sequence.learnt)


def test_processes_only_divide_the_work(checkpoint: Path):
    made = []
    for _ in range(2):
        with Making(TextRows(checkpoint, 256), seed=3, n_items=6, n_processes=2) as making:
            made.append(sorted(row.tobytes() for row in making.everything()))
    assert len(made[0]) == 6
    assert made[0] == made[1]


def test_every_pass_sees_all_rows_once():
    order = torch.cat(list(islice(passes(n_rows=5, batch_size=4, seed=1), 5)))
    assert all(sorted(part.tolist()) == list(range(5)) for part in order.split(5))


# The stage


def test_the_stage_lowers_the_loss_and_its_weights_load_and_answer(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    sizes = "--steps 12 --batch 2 --rows 24"
    parts = learnt_parts(train_text.main, checkpoint, tmp_path, sizes, capsys)

    before = load_file(checkpoint / "model.safetensors")
    nano.lay_over(checkpoint, parts, torch.bfloat16)
    after = load_file(checkpoint / "model.safetensors")
    assert not torch.equal(before["llm.lm_head.weight"], after["llm.lm_head.weight"].float())
    assert torch.equal(before["vpm.post_layernorm.bias"], after["vpm.post_layernorm.bias"].float())
    assert_answers(checkpoint, "hello")


def test_some_conversations_fit_a_row(renderer: Renderer):
    dialogues = list(islice(training_dialogues(0), 200))
    lengths = [len(renderer.turns(dialogue).ids) for dialogue in dialogues]
    assert max(lengths) <= train_text.LENGTH
