"""Encoder forwards of fixed shapes against plain ones; the CPU runs them without capturing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from MiniCPMO45.audio_cache import AudioCache
from MiniCPMO45.audio_encoder import AudioEncoder, AudioProjector
from MiniCPMO45.configuration import AudioConfig, MiniCPMOConfig, VisionConfig
from MiniCPMO45.encoder_graphs import (
    PADDED_TILE,
    LiveEar,
    LivePiece,
    TileEncoder,
    captured_patches,
)
from MiniCPMO45.image import ImageTensors
from MiniCPMO45.resampler import Resampler
from MiniCPMO45.vision import VisionTransformer

CONFIG = MiniCPMOConfig(
    hidden_size=128,
    query_num=3,
    vision_config=VisionConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2
    ),
    audio_config=AudioConfig(
        d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=128
    ),
)
N_SLOTS = 5


@pytest.fixture(scope="module")
def ear() -> LiveEar:
    torch.manual_seed(0)
    encoder = AudioEncoder(CONFIG.audio_config).eval().requires_grad_(False)
    encoder.join_projections()
    ear = LiveEar(encoder, AudioProjector(CONFIG).eval(), N_SLOTS)
    ear.allocate()
    return ear


@pytest.fixture(scope="module")
def tiles() -> TileEncoder:
    torch.manual_seed(0)
    vision = VisionTransformer(CONFIG.vision_config, "sdpa").eval()
    resampler = Resampler(CONFIG).eval()
    for parameter in resampler.parameters():
        nn.init.normal_(parameter, std=0.1)
    vision.join_projections()
    tiles = TileEncoder(vision, resampler, batch_size=2, n_slots=1)
    tiles.allocate()
    return tiles


class Stream:
    """One stream heard twice: alone on a cache of its own, and along with others."""

    def __init__(self, ear: LiveEar, slot: int, seconds_before: int) -> None:
        self.ear = ear
        self.cache = ear.stream(slot)
        self.alone = LiveEar(ear._encoder, ear._projector, 1).stream(0)
        self.generator = torch.Generator().manual_seed(slot)
        for _ in range(seconds_before):
            mel = self.next_mel()
            for cache in (self.cache, self.alone):
                ear.hear(self.piece(mel, cache))

    def next_mel(self) -> Tensor:
        return torch.randn(1, 80, 104, generator=self.generator)

    def piece(self, mel: Tensor, cache: AudioCache) -> LivePiece:
        return LivePiece(mel, cache, prefix_frames=2, suffix_frames=2)


def differences(streams: list[Stream]) -> list[float]:
    """How far each stream's next second in company is from the same second alone."""
    mels = [stream.next_mel() for stream in streams]
    together = streams[0].ear.hear_together(
        [stream.piece(mel, stream.cache) for stream, mel in zip(streams, mels, strict=True)]
    )
    differences = []
    for stream, mel, rows in zip(streams, mels, together, strict=True):
        expected = stream.ear.hear(stream.piece(mel, stream.alone))
        assert rows.shape == expected.shape == (10, 128)
        assert stream.cache.length == stream.alone.length
        differences.append(float((rows - expected).abs().max()))
    return differences


@torch.inference_mode()
def test_streams_of_different_lengths_hear_together_as_alone(ear: LiveEar) -> None:
    streams = [Stream(ear, slot, seconds) for slot, seconds in ((3, 0), (0, 7), (4, 1))]
    for _ in range(3):
        assert max(differences(streams)) < 1e-5


@torch.inference_mode()
def test_streams_join_and_leave_between_seconds(ear: LiveEar) -> None:
    first, second = Stream(ear, 1, 2), Stream(ear, 2, 4)
    assert max(differences([first, second])) < 1e-5
    assert max(differences([second])) < 1e-5
    newcomer = Stream(ear, 0, 1)
    assert max(differences([newcomer, first, second])) < 1e-5
    taken_over = Stream(ear, 2, 0)
    assert max(differences([first, taken_over, newcomer])) < 1e-5


@torch.inference_mode()
def test_a_full_cache_starts_afresh_among_others(ear: LiveEar) -> None:
    full, other = Stream(ear, 0, 29), Stream(ear, 1, 3)
    assert full.cache.length == 1450
    assert max(differences([full, other])) < 1e-5
    assert (full.cache.length, other.cache.length) == (50, 200)


@torch.inference_mode()
def test_what_a_forward_is_filled_up_with_touches_no_other_stream(ear: LiveEar) -> None:
    streams = [Stream(ear, slot, 2) for slot in range(3)]
    idle = Stream(ear, 3, 2)
    before = ear._caches.keys[:, 3].clone()
    differences(streams)  # three streams in a forward for four
    assert torch.equal(ear._caches.keys[:, 3], before)
    assert max(differences([idle])) < 1e-5


def test_only_usual_pieces_share_a_forward_and_only_once_it_is_captured(ear: LiveEar) -> None:
    usual = LivePiece(torch.zeros(1, 80, 104), ear.stream(0), 2, 2)
    assert not ear.can_share(usual)
    ear._graphs = {1: lambda: torch.zeros(0)}
    assert ear.can_share(usual)
    assert not ear.can_share(LivePiece(torch.zeros(1, 80, 102), ear.stream(0), 0, 2))
    assert not ear.can_share(LivePiece(usual.mel, ear._encoder.new_cache(), 2, 2))
    ear._graphs = {}


def picture(*sizes: tuple[int, int]) -> ImageTensors:
    """Random tiles of so many rows and columns of patches."""
    generator = torch.Generator().manual_seed(len(sizes))
    strips = [
        torch.randn(3, 14, 14 * rows * columns, generator=generator) for rows, columns in sizes
    ]
    return ImageTensors(strips, torch.tensor(sizes, dtype=torch.int32), None, (1, 1))


@torch.inference_mode()
@pytest.mark.parametrize(
    ("sizes", "n_patches"),
    [
        ([(32, 32), (32, 32)], 1024),
        ([(28, 37), (37, 28)], 1036),
        ([(32, 32), (3, 5), (24, 43)], PADDED_TILE),
    ],
)
def test_placed_tiles_give_the_same_as_plain_ones(
    tiles: TileEncoder, sizes: list[tuple[int, int]], n_patches: int
) -> None:
    image = picture(*sizes)
    assert captured_patches(image.target_sizes) == n_patches
    tiles.place(image.pixels, image.target_sizes, n_patches)
    rows = tiles.run(len(sizes), n_patches)
    assert torch.allclose(rows, tiles.encode([image]), atol=1e-5)


def test_a_tile_that_no_forward_takes_runs_plainly() -> None:
    assert captured_patches(torch.tensor([[32, 32], [33, 33]])) is None


@torch.inference_mode()
def test_captured_groups_give_the_tiles_in_order(
    tiles: TileEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [picture((2, 3), (4, 4)), picture((3, 3), (1, 7), (2, 2), (5, 5), (6, 2))]
    expected = tiles.encode(images)
    sizes: list[int] = []

    def run(n_tiles: int) -> Tensor:
        sizes.append(n_tiles)
        return tiles.run(n_tiles, PADDED_TILE)

    graphs = {(n, PADDED_TILE): (lambda n=n: run(n)) for n in (1, 2, 4, 8, 16)}
    monkeypatch.setattr(tiles, "_graphs", graphs)
    assert torch.allclose(tiles.encode(images), expected, atol=1e-5)
    assert sizes == [4, 2, 1]


def test_joined_layers_keep_their_weights_and_names() -> None:
    plain, joined = (VisionTransformer(CONFIG.vision_config, "sdpa") for _ in range(2))
    joined.load_state_dict(plain.state_dict())
    joined.join_projections()
    after = joined.state_dict()
    assert plain.state_dict().keys() == after.keys()
    assert all(torch.equal(tensor, after[key]) for key, tensor in plain.state_dict().items())
    attention = joined.encoder.layers[0].self_attn
    storages = {
        attention.get_submodule(name).weight.untyped_storage().data_ptr()  # pyright: ignore[reportCallIssue, reportAttributeAccessIssue]
        for name in ("q_proj", "k_proj", "v_proj")
    }
    assert len(storages) == 1
