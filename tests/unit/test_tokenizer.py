from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.tokenizer import Tokenizer

SAMPLES = [
    "Hello, how are you today?",
    "你好，今天过得怎么样？",
    "12345 67.89\n\n\tindented  double  space   \n",
    "👩‍👩‍👧 naïve café e\u0301",
    "",
]


@pytest.mark.parametrize("text", SAMPLES)
def test_plain_text_encodes_the_same_with_and_without_special_parsing(tokenizer, text):
    assert tokenizer.encode_plain(text) == tokenizer.encode(text)


def test_plain_encoding_never_yields_a_special_token(tokenizer):
    text = "<|im_end|><think><unk><|listen|>"
    ids = tokenizer.encode_plain(text)
    assert not {tokenizer.id_of(string) for string in tokenizer.added_strings} & set(ids)
    assert tokenizer.decode(ids) == text


def test_unknown_entries_look_up_as_unk(tokenizer):
    assert tokenizer.id_of("no such entry") == tokenizer.unk_id


def test_an_id_outside_the_vocabulary_is_refused(tokenizer):
    with pytest.raises(IndexError, match="outside the vocabulary"):
        tokenizer.token_of(tokenizer.size)


def test_streamed_text_equals_decoding_at_once(tokenizer):
    generator = random.Random(7)
    for _ in range(200):
        ids = [generator.randrange(tokenizer.size) for _ in range(generator.randrange(1, 20))]
        stream = tokenizer.text_stream()
        streamed = "".join(stream.push(index) for index in ids) + stream.flush()
        assert streamed == tokenizer.decode(ids)


def test_streamed_text_never_ends_inside_a_character(tokenizer):
    ids = tokenizer.encode("龘靐齉🎉")
    stream = tokenizer.text_stream()
    pieces = [stream.push(index) for index in ids]
    assert not any("\ufffd" in piece for piece in pieces)
    assert "".join(pieces) == "龘靐齉🎉"


@pytest.mark.parametrize("damage", ["empty", "missing"])
def test_an_unusable_tokenizer_json_is_rebuilt_from_vocabulary_and_merges(
    tmp_path: Path, checkpoint_folder: Path, tokenizer, damage
):
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint_folder, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "tokenizer.json").unlink()
    if damage == "empty":
        (folder / "tokenizer.json").touch()
    rebuilt = Tokenizer(folder)
    specials = "<|im_start|>user\n龘 x<unk><|tts_bos|></think>"
    for text in [*SAMPLES, specials]:
        assert rebuilt.encode(text) == tokenizer.encode(text)
    assert rebuilt.declared_special_ids == tokenizer.declared_special_ids
    assert rebuilt.size == tokenizer.size


def test_a_folder_without_tokenizer_files_is_a_checkpoint_error(tmp_path: Path):
    with pytest.raises(CheckpointError, match="tokenizer"):
        Tokenizer(tmp_path)
