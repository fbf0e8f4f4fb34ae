"""The speech stages: what is learnt from them loads and streams as the service's own voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from MiniCPMO45.int8 import dequantise, quantise
from MiniCPMO45.token2wav import Token2Wav
from MiniCPMO45.token2wav.flow_state import EstimatorState
from MiniCPMO45.token2wav.options import SILENCE_CODE
from MiniCPMO45.token2wav.spectra import MEL_HOP, MEL_RATE
from training.nano import recordings as data
from training.nano.flow_forward import (
    CHUNK_CODES,
    FlowBatch,
    SeenFrames,
    encoded,
    flow_loss,
    seen_in_chunks,
    velocity,
)
from training.nano.listening import Listener
from training.nano.optimisation import Optimisation
from training.nano.pitch import pitch_hz
from training.nano.recogniser import heard_words, word_error_rate
from training.nano.recordings import Recordings
from training.nano.speech_codec import SpeechCodec, code_of, digits_of
from training.nano.speech_packages import SpeechError
from training.nano.speech_report import rendered
from training.nano.token2wav import new_flow, new_hift, write_token2wav
from training.nano.train_flow import Coded, behind_shipped_voices, shipped_recordings
from training.nano.train_speech_codec import codec_loss, load_codec, save_codec
from training.nano.train_vocoder import vocoder_loss
from training.nano.voices import HELD_OUT_VOICES, OWN_VOICE, VOICES

STEPS = 4
MOST_PARAMETERS = 5_000_000


def hummed(pitch: float, duration_s: float = 1.0) -> np.ndarray:
    """A voice that says one vowel, with silence behind it."""
    times_s = np.arange(round(duration_s * MEL_RATE)) / MEL_RATE
    sound = sum(np.sin(2 * np.pi * pitch * n * times_s) / n for n in range(1, 12)) / 4
    sound = np.asarray(sound, np.float32)
    sound[3 * sound.size // 4 :] = 0
    return sound


@pytest.fixture(scope="module")
def hums() -> Recordings:
    return data.stacked([data.read_recording(hummed(pitch)) for pitch in (110.0, 240.0)])


def losses(module: torch.nn.Module, loss_of, rate: float) -> list[float]:
    torch.manual_seed(0)
    found: list[float] = []

    def counted() -> torch.Tensor:
        loss = loss_of()
        found.append(float(loss.detach()))
        return loss

    for _ in Optimisation(module, STEPS, rate).run(counted):
        pass
    return found


def test_a_code_is_its_digits_and_silence_is_the_published_one() -> None:
    codes = torch.tensor([0, 1, SILENCE_CODE, 6560])
    assert code_of(digits_of(codes)[:, :, None])[:, 0].tolist() == codes.tolist()


def test_pitch_is_found_in_a_hum_and_not_in_silence() -> None:
    pitch = pitch_hz(hummed(180.0))
    assert abs(float(np.median(pitch[5:30])) - 180) < 4
    assert not pitch[-10:].any()


def test_voices_of_the_evaluation_are_not_trained_on() -> None:
    names = {voice.name for voice in VOICES}
    assert len(names) == len(VOICES) and OWN_VOICE in VOICES
    assert names.isdisjoint(voice.name for voice in HELD_OUT_VOICES)


def test_words_that_sound_alike_are_no_errors() -> None:
    assert heard_words("That's 4, too!") == heard_words("that is for two")
    assert word_error_rate([("the red circle", "the bread circle")]) == pytest.approx(1 / 3)


def test_a_few_steps_bring_the_codec_nearer_to_what_it_hears(hums: Recordings) -> None:
    codec = SpeechCodec()
    index = torch.arange(len(hums))
    found = losses(codec, lambda: codec_loss(codec, hums, index), 1e-3)
    assert found[-1] < 0.97 * found[0]


def as_stored(weight: torch.Tensor) -> torch.Tensor:
    """With matrices rounded to 8-bit integers."""
    if weight.ndim == 1:
        return weight
    values, scales = quantise(weight.flatten(1))
    return dequantise(values, scales).view_as(weight)


def test_the_graphs_give_what_the_networks_give(hums: Recordings, tmp_path: Path) -> None:
    torch.manual_seed(1)
    codec = SpeechCodec()
    torch.nn.init.normal_(codec.tokenizer.digits.weight)
    save_codec(codec, tmp_path)
    codec = load_codec(tmp_path)
    codec.load_state_dict({name: as_stored(value) for name, value in codec.state_dict().items()})
    listener = Listener(tmp_path)
    features = hums.features[:1, :, :97].float()
    assert listener.codes(features[0].numpy()) == codec.tokenizer.codes(features)[0].tolist()
    coded = Coded.by(listener, hums, 2)
    assert torch.equal(coded.codes, codec.tokenizer.codes(hums.features.float()))
    wanted = codec.speaker(hums.banks.float()).detach()
    torch.testing.assert_close(coded.speakers, wanted, atol=1e-4, rtol=0)


def test_only_the_own_voice_speaks_behind_shipped_ones(hums: Recordings, tmp_path: Path) -> None:
    write_token2wav(tmp_path)
    listener = Listener(tmp_path)
    shipped = Coded.by(listener, shipped_recordings(), 1)
    index = torch.tensor([0, 1] * 50)
    batch = Coded.by(listener, hums, 1).batch(index, n_prompt=10)
    changed = behind_shipped_voices(batch, index == 1, shipped)
    behind = (changed.mel[:, :20] != batch.mel[:, :20]).any(dim=(1, 2))
    assert not behind[index == 0].any()
    assert 10 < int(behind.sum()) < 40
    assert torch.equal((changed.speaker != batch.speaker).any(dim=1), behind)
    assert torch.equal(changed.mel[:, 20:], batch.mel[:, 20:])
    assert torch.equal(changed.codes[:, 10:], batch.codes[:, 10:])
    prompts = {tuple(row[:10].tolist()) for row in changed.codes[behind]}
    assert prompts <= {tuple(row[:10].tolist()) for row in shipped.codes}


@pytest.mark.slow
def test_a_few_steps_bring_the_flow_nearer_to_the_straight_way(hums: Recordings) -> None:
    flow = new_flow()
    codes = torch.randint(0, 6561, (2, hums.n_codes), generator=torch.Generator().manual_seed(0))
    batch = FlowBatch(codes, hums.mel.float(), torch.randn(2, 192), n_prompt=8)
    found = losses(flow, lambda: flow_loss(flow, batch), 2e-3)
    assert found[-1] < 0.97 * found[0]


def test_training_sees_what_a_stream_of_chunks_sees() -> None:
    torch.manual_seed(2)
    estimator = new_flow().estimator
    for parameter in estimator.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    rows, time = torch.randn(2, 12, 320), torch.tensor([0.3])
    layer = SeenFrames(seen_in_chunks(12, 4, 4, torch.device("cpu"))).layer()
    (modulation,) = estimator.modulation(time)
    like = estimator.in_proj.weight
    state = EstimatorState.allocate(estimator.config, n_steps=1, n_frames=12, like=like)
    streamed = []
    with torch.inference_mode():
        for chunk in rows.split(4, dim=1):
            streamed.append(estimator(chunk, modulation, state, 0))
            state.advance(4)
        trained = velocity(estimator, rows, time.expand(2), layer)
    torch.testing.assert_close(trained, torch.cat(streamed, dim=1), atol=1e-4, rtol=1e-4)


def test_training_reads_codes_as_a_stream_behind_a_prompt_does() -> None:
    torch.manual_seed(3)
    flow = new_flow()
    for parameter in flow.encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    n_prompt, n_said, ahead = 9, CHUNK_CODES + 12, 3
    codes = torch.randint(0, 6561, (1, n_prompt + n_said))
    mel, speaker = torch.zeros(1, 2 * codes.shape[1], 80), torch.zeros(1, 192)
    prompt, said = codes.split([n_prompt, n_said], dim=1)
    state = flow.new_state(n_steps=1, n_frames=mel.shape[1]).encoder
    positions = flow.encoder.positions(*codes.shape[1:], *codes.shape[1:])
    silence = torch.full((1, ahead), SILENCE_CODE)
    with torch.inference_mode():
        streamed = [
            flow.encode(torch.cat([prompt, silence], dim=1), positions, state, last=False),
            flow.encode(said[:, : CHUNK_CODES + ahead], positions, state, last=False),
            flow.encode(said[:, CHUNK_CODES:], positions, state, last=True),
        ]
        trained = encoded(flow, FlowBatch(codes, mel, speaker, n_prompt))
    torch.testing.assert_close(trained, torch.cat(streamed, dim=1), atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_a_few_steps_bring_the_vocoder_nearer_to_the_sound(
    hums: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.nano.train_vocoder.CROP_FRAMES", 16)
    hift = new_hift()
    hift.prepare()
    index = torch.zeros(1, dtype=torch.int64)
    found = losses(hift, lambda: vocoder_loss(hift, hums, index), 1e-3)
    assert found[-1] < found[0]


def test_the_folder_loads_and_streams_within_its_budget(tmp_path: Path) -> None:
    write_token2wav(tmp_path / "token2wav")
    token2wav = Token2Wav.load(tmp_path / "token2wav")
    parts = (token2wav.synthesizer.flow, token2wav.hift)
    assert sum(p.numel() for part in parts for p in part.parameters()) < MOST_PARAMETERS
    voice = token2wav.prepare_voice(hummed(180.0), MEL_RATE)
    codes = [SILENCE_CODE] * 31
    sound = rendered(token2wav.stream(voice), codes)
    assert sound.size == 2 * MEL_HOP * len(codes) + 8 * MEL_HOP
    assert np.isfinite(sound).all()


def test_recordings_need_the_speech_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise SpeechError("the package espeakng-loader is missing")

    monkeypatch.setattr("training.nano.espeak._engine", missing)
    monkeypatch.setattr("training.nano.flite._program", missing)
    with pytest.raises(SpeechError):
        data.recordings(1, 1, 2, 1)
