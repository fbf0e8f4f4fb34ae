"""Audio encoder: whole clips, streams, cache, projector, published keys and sizes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from MiniCPMO45.audio_encoder import AudioEncoder, AudioProjector, block_causal_mask, stem_frames
from MiniCPMO45.configuration import AudioConfig, MiniCPMOConfig
from MiniCPMO45.errors import MediaError

SMALL = AudioConfig(d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=64)
RELEASE = AudioConfig(
    d_model=1024, encoder_layers=24, encoder_attention_heads=16, encoder_ffn_dim=4096
)
BLOCK = 50


def small_encoder() -> AudioEncoder:
    torch.manual_seed(0)
    return AudioEncoder(SMALL).eval()


def small_projector(pool_step: int = 5) -> AudioProjector:
    torch.manual_seed(0)
    config = AudioConfig(encoder_ffn_dim=128)
    return AudioProjector(
        MiniCPMOConfig(hidden_size=24, audio_pool_step=pool_step, audio_config=config)
    )


def mel(n_frames: int, batch: int = 1) -> Tensor:
    return torch.randn(batch, 80, n_frames, generator=torch.manual_seed(n_frames))


def chunks(features: Tensor, count: int) -> list[Tensor]:
    """A second each, with two frames more on either side where there are any."""
    return [features[:, :, max(0, 100 * k - 2) : 100 * k + 102] for k in range(count)]


@torch.inference_mode()
def test_a_stream_equals_the_whole_clip_in_blocks() -> None:
    encoder = small_encoder()
    features = mel(1002)
    whole = encoder(features, [1002], BLOCK)
    cache = encoder.new_cache()
    pieces, lengths = [], []
    for index, chunk in enumerate(chunks(features, 10)):
        prefix = 2 if index else 0
        pieces.append(encoder.stream(chunk, cache, prefix_frames=prefix, suffix_frames=2))
        lengths.append(cache.length)
    assert lengths == list(range(50, 501, 50))
    assert torch.allclose(torch.cat(pieces, dim=1), whole[:, :500], atol=1e-5)


@torch.inference_mode()
def test_the_cache_starts_afresh_after_29_seconds() -> None:
    encoder = small_encoder()
    cache = encoder.new_cache()
    lengths, pieces = [], []
    features = mel(3302)
    for index, chunk in enumerate(chunks(features, 33)):
        prefix = 2 if index else 0
        pieces.append(encoder.stream(chunk, cache, prefix_frames=prefix, suffix_frames=2))
        lengths.append(cache.length)
    assert lengths == [*range(50, 1451, 50), 50, 100, 150, 200]
    fresh = encoder.stream(
        chunks(features, 30)[29], encoder.new_cache(), prefix_frames=2, suffix_frames=2
    )
    assert torch.allclose(pieces[29], fresh, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize(("mel_frames", "length"), [(98, 1499), (100, 50)])
def test_a_piece_that_fills_the_cache_exactly_starts_afresh(mel_frames: int, length: int) -> None:
    encoder = small_encoder()
    cache = encoder.new_cache()
    for _ in range(29):
        encoder.stream(mel(100), cache)
    assert cache.length == 1450
    encoder.stream(mel(mel_frames), cache)
    assert cache.length == length


@torch.inference_mode()
def test_room_is_counted_before_trimming() -> None:
    encoder = small_encoder()
    cache = encoder.new_cache()
    for _ in range(29):
        encoder.stream(mel(100), cache)
    encoder.stream(mel(100), cache, prefix_frames=2, suffix_frames=2)  # 1450 + 48 would fit
    assert cache.length == 48


def test_a_piece_longer_than_the_cache_is_refused() -> None:
    encoder = small_encoder()
    with pytest.raises(MediaError, match="does not fit the 1500 positions"):
        encoder.stream(mel(3002), encoder.new_cache())


@torch.inference_mode()
def test_a_piece_of_no_frames_gives_no_rows_and_changes_nothing() -> None:
    encoder = small_encoder()
    cache = encoder.new_cache()
    assert encoder.stream(mel(0), cache).shape == (1, 0, 32) and cache.length == 0
    assert encoder(mel(0), [0], BLOCK).shape == (1, 0, 32)


@torch.inference_mode()
def test_trimming_never_takes_everything_on_the_right() -> None:
    encoder = small_encoder()
    cache = encoder.new_cache()
    assert encoder.stream(mel(4), cache, prefix_frames=2, suffix_frames=2).shape[1] == 1


@torch.inference_mode()
def test_a_restored_cache_goes_on_as_if_nothing_had_happened() -> None:
    encoder = small_encoder()
    cache, other = encoder.new_cache(), encoder.new_cache()
    encoder.stream(mel(100), cache)
    snapshot = cache.snapshot()
    expected = encoder.stream(mel(90), cache)
    for restored in (cache, other):
        restored.restore(snapshot)
        assert restored.length == 50
        assert torch.equal(encoder.stream(mel(90), restored), expected)


@torch.inference_mode()
def test_a_reset_cache_hears_as_a_new_one() -> None:
    encoder = small_encoder()
    cache = encoder.new_cache()
    first = encoder.stream(mel(100), cache)
    cache.reset()
    assert torch.equal(encoder.stream(mel(100), cache), first)


def test_blocks_see_themselves_and_the_past() -> None:
    assert block_causal_mask(5, 2).int().tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 1, 1, 1],
    ]


@torch.inference_mode()
@pytest.mark.parametrize("chunk_frames", [BLOCK, None])
@pytest.mark.parametrize("short", [30, 119, 151, 299])
def test_clips_of_a_ragged_batch_come_out_as_if_alone(short: int, chunk_frames: int | None) -> None:
    encoder = small_encoder()
    features = mel(300, batch=2)
    features[1, :, short:] = 0
    together = encoder(features, [300, short], chunk_frames)
    alone = encoder(features[1:, :, :short], [short], chunk_frames)
    assert torch.allclose(together[1, : stem_frames(short)], alone[0], atol=1e-5)


@torch.inference_mode()
def test_compat_lets_a_clip_see_the_padding_of_its_last_block() -> None:
    encoder = small_encoder()
    features = mel(300, batch=2)
    features[1, :, 120:] = 0
    lengths = [300, 120]
    published = encoder(features, lengths, BLOCK, compat=True)
    corrected = encoder(features, lengths, BLOCK)
    assert torch.allclose(published[0], corrected[0], atol=1e-5)
    assert torch.allclose(published[1, :50], corrected[1, :50], atol=1e-5)
    assert (published[1, 50:60] - corrected[1, 50:60]).abs().max() > 1e-3


@torch.inference_mode()
def test_compat_hides_keys_from_the_mel_length_on() -> None:
    encoder = small_encoder()
    features = mel(300, batch=2)
    features[1, :, 40:] = 0
    published = encoder(features, [300, 40], None, compat=True)
    altered = features.clone()
    altered[1, :, 200:] = 5.0  # behind encoder frame 40, which is as far as clip 1 sees
    again = encoder(altered, [300, 40], None, compat=True)
    assert torch.allclose(published[1, :20], again[1, :20], atol=1e-5)
    altered[1, :, 60:70] = 5.0  # encoder frames 30 to 35: padding, but seen
    changed = encoder(altered, [300, 40], None, compat=True)
    assert (changed[1, :20] - published[1, :20]).abs().max() > 1e-3


@torch.inference_mode()
def test_a_frame_does_not_see_the_next_block() -> None:
    encoder = small_encoder()
    features = mel(300)
    altered = features.clone()
    altered[:, :, 210:] = 0
    before, after = (encoder(x, [300], BLOCK) for x in (features, altered))
    assert torch.allclose(before[:, :100], after[:, :100], atol=1e-5)
    assert not torch.allclose(before[:, 100:105], after[:, 100:105], atol=1e-3)


@torch.inference_mode()
def test_runs_in_bfloat16_from_float32_features() -> None:
    encoder = small_encoder().bfloat16()
    assert encoder(mel(200), [200], BLOCK).dtype == torch.bfloat16
    assert encoder.stream(mel(200), encoder.new_cache()).dtype == torch.bfloat16


@torch.inference_mode()
@pytest.mark.parametrize("mel_frames", [1, 9, 10, 19, 99, 100, 104, 3000])
def test_pooling_keeps_whole_windows_by_the_mel_length(mel_frames: int) -> None:
    projector = small_projector()
    hidden = torch.randn(1, stem_frames(mel_frames), 32)
    (rows,) = projector.pool(hidden, [mel_frames])
    assert rows.shape == ((mel_frames + 1) // 10, 24)
    if len(rows):
        assert torch.allclose(rows[-1], projector(hidden)[0, 5 * len(rows) - 5 :][:5].mean(0))


@torch.inference_mode()
def test_tokens_never_exceed_what_a_trimmed_piece_pools_to() -> None:
    # 42 mel frames: four tokens by length, but 19 encoder frames after trimming
    (rows,) = small_projector().pool(torch.randn(1, 19, 32), [42])
    assert len(rows) == 3


@torch.inference_mode()
def test_pooling_cuts_each_clip_of_a_batch() -> None:
    parts = small_projector().pool(torch.randn(3, 50, 32), [100, 55, 3])
    assert [len(rows) for rows in parts] == [10, 5, 0]


@torch.inference_mode()
def test_pool_step_follows_the_checkpoint() -> None:
    (rows,) = small_projector(pool_step=2).pool(torch.randn(1, 50, 32), [100])
    assert len(rows) == 25


def test_norms_use_1e_5() -> None:
    norms = [m for m in small_encoder().modules() if isinstance(m, nn.LayerNorm)]
    assert len(norms) == 5 and {norm.eps for norm in norms} == {1e-5}


def test_published_keys_shapes_and_size() -> None:
    with torch.device("meta"):
        encoder = AudioEncoder(RELEASE)
    width, inner = 1024, 4096
    shapes = {key: tuple(tensor.shape) for key, tensor in encoder.state_dict().items()}
    layer = "layers.23"
    expected = {
        f"{layer}.self_attn.k_proj.weight": (width, width),
        f"{layer}.fc1.weight": (inner, width),
        f"{layer}.fc1.bias": (inner,),
        f"{layer}.fc2.weight": (width, inner),
        f"{layer}.fc2.bias": (width,),
    }
    for projection in ("q_proj", "v_proj", "out_proj"):
        expected[f"{layer}.self_attn.{projection}.weight"] = (width, width)
        expected[f"{layer}.self_attn.{projection}.bias"] = (width,)
    for norm in ("self_attn_layer_norm", "final_layer_norm"):
        expected |= {f"{layer}.{norm}.weight": (width,), f"{layer}.{norm}.bias": (width,)}
    assert {k: v for k, v in shapes.items() if k.startswith(f"{layer}.")} == expected
    assert {k: v for k, v in shapes.items() if not k.startswith("layers.")} == {
        "conv1.weight": (width, 80, 3),
        "conv1.bias": (width,),
        "conv2.weight": (width, width, 3),
        "conv2.bias": (width,),
        "embed_positions.weight": (1500, width),
        "layer_norm.weight": (width,),
        "layer_norm.bias": (width,),
    }
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 307_216_384


def test_published_projector() -> None:
    with torch.device("meta"):
        projector = AudioProjector(MiniCPMOConfig(audio_config=RELEASE))
    shapes = {key: tuple(tensor.shape) for key, tensor in projector.state_dict().items()}
    assert shapes == {
        "linear1.weight": (4096, 1024),
        "linear1.bias": (4096,),
        "linear2.weight": (4096, 4096),
        "linear2.bias": (4096,),
    }
    assert sum(parameter.numel() for parameter in projector.parameters()) == 20_979_712


@torch.inference_mode()
def test_meta_construction_then_loading_gives_the_same_model() -> None:
    real = small_encoder()
    with torch.device("meta"):
        loaded = AudioEncoder(SMALL)
    loaded.load_state_dict(real.state_dict(), assign=True)
    assert torch.equal(loaded(mel(70), [70], BLOCK), real(mel(70), [70], BLOCK))
    loaded_cache, real_cache = loaded.new_cache(), real.new_cache()
    assert torch.equal(loaded.stream(mel(70), loaded_cache), real.stream(mel(70), real_cache))
