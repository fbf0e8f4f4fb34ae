"""The recipe of the embedded checkpoint: its files, its weights, and when it builds."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from MiniCPMO45 import CheckpointError, MiniCPMO
from MiniCPMO45.audio import offline_features
from MiniCPMO45.configuration import MiniCPMOConfig
from MiniCPMO45.image import preprocess_image
from MiniCPMO45.tiny import build, builder, is_current
from MiniCPMO45.tiny.__main__ import main

REPOSITORY = Path(__file__).parents[2]
RECORDED = REPOSITORY / "tests" / "golden" / "data"
SIZE_LIMIT_BYTES = 12 * 2**20
OFFICIAL_FILES = {
    "added_tokens.json",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model.safetensors",
    "preprocessor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
}


@pytest.fixture(scope="module")
def embedded_model(embedded_checkpoint: Path) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), max_length=2048)


def contents(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


# Building


def test_the_command_builds_in_under_ten_seconds_of_processor_time(tmp_path: Path):
    command = [sys.executable, "-m", "MiniCPMO45.tiny", str(tmp_path / "embedded")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10
    assert is_current(tmp_path / "embedded")


def test_two_builds_are_identical_to_the_byte(embedded_checkpoint: Path, tmp_path: Path):
    build(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(embedded_checkpoint)


def test_the_product_has_the_official_files_and_says_that_it_is_random(embedded_checkpoint: Path):
    files = contents(embedded_checkpoint)
    assert set(files) >= OFFICIAL_FILES
    assert "random" in files["README.md"].decode()
    model_files = [data for name, data in files.items() if not name.startswith("assets/")]
    assert sum(map(len, model_files)) <= SIZE_LIMIT_BYTES


def test_an_up_to_date_folder_is_left_alone_unless_forced(tmp_path: Path):
    folder = tmp_path / "embedded"
    assert build(folder)
    written_ns = (folder / "config.json").stat().st_mtime_ns
    assert not build(folder)
    assert (folder / "config.json").stat().st_mtime_ns == written_ns
    assert build(folder, force=True)


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.json", "recipe.json"])
def test_a_damaged_product_is_rebuilt(embedded_checkpoint: Path, tmp_path: Path, name):
    folder = shutil.copytree(embedded_checkpoint, tmp_path / "embedded")
    (folder / name).write_bytes((folder / name).read_bytes()[:-9])
    assert build(folder)
    assert contents(folder) == contents(embedded_checkpoint)


def test_the_product_of_another_recipe_is_rebuilt(tmp_path: Path, monkeypatch):
    folder = tmp_path / "embedded"
    build(folder)
    monkeypatch.setattr(builder, "fingerprint", lambda: "another version")
    assert build(folder)
    assert read_json(folder / "recipe.json")["fingerprint"] == "another version"


def test_a_folder_of_someone_else_is_refused_and_kept(tmp_path: Path, capsys):
    (tmp_path / "letter.txt").write_text("mine")
    assert main([str(tmp_path), "--force"]) == 1
    assert str(tmp_path) in capsys.readouterr().err
    assert contents(tmp_path) == {"letter.txt": b"mine"}


def test_a_file_in_the_way_is_refused(tmp_path: Path):
    (tmp_path / "embedded").write_text("mine")
    with pytest.raises(CheckpointError, match="not a folder"):
        build(tmp_path / "embedded")


def test_a_build_that_fails_changes_nothing(tmp_path: Path, monkeypatch):
    def run_out_of_memory(*_):
        raise MemoryError

    folder = tmp_path / "embedded"
    build(folder)
    before = contents(tmp_path)
    monkeypatch.setattr(builder, "build_weights", run_out_of_memory)
    with pytest.raises(MemoryError):
        build(folder, force=True)
    assert contents(tmp_path) == before


def test_losing_the_race_against_an_equal_build_is_no_error(
    embedded_checkpoint: Path, tmp_path: Path
):
    fresh = shutil.copytree(embedded_checkpoint, tmp_path / "fresh")
    winner = shutil.copytree(embedded_checkpoint, tmp_path / "embedded")
    in_the_way = shutil.copytree(embedded_checkpoint, tmp_path / "previous")
    assert not builder._put_in_place(fresh, winner, previous=in_the_way)
    assert is_current(winner)


# Weights and configuration


def test_tensors_are_exactly_those_the_model_is_made_of(embedded_checkpoint: Path):
    config = MiniCPMOConfig.from_folder(embedded_checkpoint)
    with torch.device("meta"):
        expected = {name: tuple(p.shape) for name, p in MiniCPMO(config).named_parameters()}
    with safe_open(embedded_checkpoint / "model.safetensors", framework="np") as file:
        stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    assert stored == expected


def test_tensor_names_equal_those_of_a_recorded_checkpoint(embedded_checkpoint: Path):
    names = []
    for folder in (embedded_checkpoint, RECORDED / "tiny"):
        with safe_open(folder / "model.safetensors", framework="np") as file:
            names.append(set(file.keys()))
    assert names[0] == names[1]


def test_the_configuration_is_marked_as_embedded_and_follows_the_release(embedded_checkpoint: Path):
    config = MiniCPMOConfig.from_folder(embedded_checkpoint)
    assert config.embedded
    assert config.stream_input
    assert not config.drop_vision_last_layer
    assert config.tts_config.attention_type == "full_attention"
    assert config.tts_config.num_text_tokens >= config.vocab_size


def test_encoders_give_embeddings_of_the_size_of_text_embeddings(embedded_model: MiniCPMO):
    noise = np.random.default_rng(0)
    picture = Image.fromarray(noise.integers(0, 255, (300, 400, 3), dtype=np.uint8))
    sound = noise.standard_normal(32000).astype(np.float32) / 5
    images = embedded_model.encode_images(
        [preprocess_image(picture, embedded_model.image_settings)]
    )
    for rows in (images, embedded_model.encode_audio(offline_features([sound]))):
        assert 0.3 < rows.square().mean().sqrt() < 3
