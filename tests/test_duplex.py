"""Full duplex through UnifiedProcessor and DuplexView, on the embedded checkpoint."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from config import DuplexSectionConfig
from core.capabilities import ProcessorMode, get_capabilities
from core.errors import InvalidFieldError
from core.processors import ChunkTask, DuplexView, UnifiedProcessor
from core.processors.duplex_options import call_options, service_options
from core.processors.sound import wav_base64
from core.schemas import (
    DuplexAudioChunkMessage,
    DuplexConfig,
    DuplexInterruptedMessage,
    DuplexOfflineInput,
    DuplexPausedMessage,
    DuplexPreparedMessage,
    DuplexPrepareMessage,
    DuplexResultMessage,
    DuplexResumedMessage,
    DuplexServerMessage,
    DuplexStoppedMessage,
    DuplexTimeoutMessage,
    DuplexWindowInfo,
    ServerMessage,
    TTSConfig,
)
from MiniCPMO45.token2wav import Token2Wav
from tests.wire_media import picture, tone

VOICE = Path(__file__).parents[1] / "resources" / "ref_audio" / "ref_en.wav"
OTHER_VOICE = VOICE.with_name("ref_minicpm_signature.wav")
EAGER = DuplexConfig(force_listen_count=0)


@pytest.fixture(scope="module")
def processor(embedded_checkpoint: Path) -> UnifiedProcessor:
    return new_processor(embedded_checkpoint)


def new_processor(embedded_checkpoint: Path) -> UnifiedProcessor:
    return UnifiedProcessor(
        str(embedded_checkpoint),
        device="cpu",
        ref_audio_path=str(VOICE),
        duplex_config=EAGER,
        n_slots=1,
    )


@pytest.fixture
def view(processor: UnifiedProcessor) -> Iterator[DuplexView]:
    view = processor.set_duplex_mode()
    yield view
    view.cleanup()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four and a half seconds as a WAV file."""
    sound = np.random.default_rng(0).standard_normal(round(4.5 * 24000)) * 0.1
    file = tmp_path_factory.mktemp("sound") / "question.wav"
    file.write_bytes(base64.b64decode(wav_base64(sound.astype(np.float32))))
    return file


# -- messages --------------------------------------------------------------------------------------

RESULT = {"is_listen": True, "wall_clock_ms": 1.0, "kv_cache_length": 10}
SERVER_MESSAGES: list[ServerMessage] = [
    DuplexPreparedMessage(
        prompt_length=5, window=DuplexWindowInfo(mode="auto", high=8000, low=6000)
    ),
    DuplexResultMessage(**RESULT),
    DuplexPausedMessage(timeout=60),
    DuplexResumedMessage(),
    DuplexInterruptedMessage(audio_epoch=1, interrupted=True),
    DuplexStoppedMessage(audio_epoch=1, session_id="adx_1"),
    DuplexTimeoutMessage(reason="Pause timeout (60.0s)"),
]


@pytest.mark.parametrize("message", SERVER_MESSAGES, ids=lambda message: message.type)
def test_a_server_message_is_told_apart_by_its_type(message: ServerMessage) -> None:
    assert TypeAdapter(DuplexServerMessage).validate_python(message.to_wire()) == message


def test_a_result_says_null_where_nothing_is_and_leaves_out_what_did_not_happen() -> None:
    wire = DuplexResultMessage(**RESULT).to_wire()
    assert wire["audio_data"] is wire["cost_tts_ms"] is None
    assert not {"interrupted", "skipped", "reason"} & wire.keys()
    skipped = DuplexResultMessage(**RESULT, skipped=True, reason="late").to_wire()
    assert (skipped["skipped"], skipped["reason"]) == (True, "late")


@pytest.mark.parametrize("name", ["audio_base64", "audio"])
def test_sound_may_have_its_documented_name(name: str) -> None:
    assert DuplexAudioChunkMessage.model_validate({name: "AAAA"}).audio_base64 == "AAAA"


def test_the_documented_name_of_the_prompt_counts_only_when_the_other_is_absent() -> None:
    def prompt(**fields: Any) -> str:
        return DuplexPrepareMessage.model_validate(fields).system_prompt

    assert prompt() == "You are a helpful assistant."
    assert prompt(prefix_system_prompt="a") == "a"
    assert prompt(prefix_system_prompt="a", system_prompt="b") == "b"


def test_unknown_settings_are_ignored_and_absurd_ones_are_not() -> None:
    assert DuplexConfig.model_validate({"max_kv_tokens": 8192, "colour": "blue"}) == DuplexConfig()
    for name, field in DuplexConfig.model_fields.items():
        if field.annotation not in (bool, bool | None):
            with pytest.raises(ValidationError):
                DuplexConfig.model_validate({name: -1})


# -- options ---------------------------------------------------------------------------------------


def test_every_setting_of_the_service_reaches_a_call_that_leaves_it_open() -> None:
    settings = DuplexSectionConfig.model_validate(
        {
            "listen_in_open_turn": "close",
            "penalize_control_tokens": False,
            "penalize_cut_tokens": False,
            "speak_first_token": True,
            "speech_top_p": 0.5,
            "speech_top_k": 7,
            "speech_penalty_across_units": True,
            "window": {"mode": "context", "high": 900, "low": 800, "context_max_units": 3},
        }
    )
    options = call_options(DuplexConfig(temperature=0.3), service_options(settings))
    for name in settings.model_fields_set - {"window"}:
        assert getattr(options, name) == getattr(settings, name)
    window = options.window
    assert (window.mode, window.high, window.low, window.max_units) == ("context", 900, 800, 3)
    assert options.temperature == 0.3


def test_a_client_has_the_last_word_on_a_setting() -> None:
    service = service_options(DuplexSectionConfig(speech_top_k=7, speak_first_token=True))
    config = DuplexConfig(speech_top_k=0, speak_first_token=False, decode_mode="greedy")
    options = call_options(config, service)
    assert (options.speech_top_k, options.speak_first_token, options.do_sample) == (0, False, False)


def test_the_coldest_speech_still_has_a_temperature() -> None:
    service = service_options(DuplexSectionConfig())
    assert 0 < call_options(DuplexConfig(tts_temperature=0), service).tts_temperature < 0.01


# -- unit by unit ----------------------------------------------------------------------------------


def test_the_mode_is_there(processor: UnifiedProcessor) -> None:
    assert ProcessorMode.DUPLEX in processor.modes
    assert get_capabilities("duplex").audio_input


def test_a_conversation_goes_unit_by_unit(view: DuplexView, processor: UnifiedProcessor) -> None:
    prompt = view.prepare("Be kind.", ref_audio_path=str(OTHER_VOICE))
    assert prompt.startswith("<|im_start|>system\nBe kind.\n<|audio_start|>")
    assert prompt.endswith("<|audio_end|><|im_end|>")
    results = []
    for second in range(12):
        frames = [picture(64, 48)] if second == 1 else None
        read = view.prefill(np.float32(0.1) * tone(1.0, 200.0 + second), frames)
        assert (read["success"], read["vision_slices"]) == (True, int(second == 1))
        results.append(view.generate(force_listen=second == 11))
        view.finalize()
    assert [result.current_time for result in results] == list(range(1, 13))
    assert {result.is_listen for result in results} == {True, False}
    assert results[-1].is_listen
    for result in results:
        assert result.audio_data is None or (result.n_tts_tokens and not result.is_listen)
    assert processor.kv_cache_length > 100


def test_a_raw_prompt_is_taken_as_it_is(view: DuplexView) -> None:
    prefix, suffix = "<|im_start|>system\nHi.\n<|audio_start|>", "<|audio_end|><|im_end|>"
    assert view.prepare(prefix, suffix) == prefix + suffix


def test_a_stopped_conversation_neither_hears_nor_speaks(view: DuplexView) -> None:
    view.prepare()
    view.stop()
    assert not view.prefill(tone(1.0))["success"]
    result = view.generate()
    assert (result.is_listen, result.end_of_turn) == (True, True)
    view.finalize()
    view.prepare()
    assert view.prefill(tone(1.0))["success"]


def test_prepare_comes_first(view: DuplexView) -> None:
    with pytest.raises(InvalidFieldError, match="prepare must come first"):
        view.generate()


def test_a_view_gives_its_place_to_the_others(processor: UnifiedProcessor) -> None:
    processor.set_duplex_mode().prepare()
    processor.set_chat_mode()
    view = processor.set_duplex_mode()
    call = view.open()
    for _ in call.prepare(view.read_prepare(DuplexPrepareMessage())):
        continue
    assert [step for step in call.hear(ChunkTask(tone(1.0))) if step is not None]
    call.close()


def test_warming_up_leaves_the_model_free_and_the_default_voice_ready(
    embedded_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = new_processor(embedded_checkpoint)
    processor.warm_up()
    processor.set_duplex_mode().prepare()  # there is one place
    voices = processor.set_chat_mode().voices
    monkeypatch.delattr(Token2Wav, "prepare_voice")
    assert voices.vocoder(voices.choose(TTSConfig())[0])


# -- a recording as a call -------------------------------------------------------------------------


def test_a_recording_is_run_up_to_the_end_of_the_first_answer(
    view: DuplexView, recording: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "seen.png")
    output = view.offline_inference(
        DuplexOfflineInput(
            user_audio_path=str(recording),
            ref_audio_path=str(VOICE),
            image_paths=[str(tmp_path / "seen.png")],
            config=EAGER,
        )
    )
    assert output.success, output.error
    assert 1 <= output.total_chunks == len(output.chunks) <= 5
    ends = [chunk.end_of_turn for chunk in output.chunks]
    assert output.total_chunks == 5 or ends == [False] * (len(ends) - 1) + [True]
    assert [chunk.chunk_idx for chunk in output.chunks] == list(range(output.total_chunks))
    for chunk in output.chunks:
        assert chunk.phase == ("listen" if chunk.is_listen else "speak")
        assert chunk.has_audio == (chunk.audio_data is not None)
    assert output.full_text == "".join(chunk.text for chunk in output.chunks)
    assert (output.audio_duration_s > 0) == any(chunk.has_audio for chunk in output.chunks)
    assert output.total_duration_ms > 0


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "user_audio_path"),
        ({"user_audio_path": "nowhere.wav"}, "nowhere.wav"),
        ({"image_paths": ["nowhere.png"]}, "nowhere.png"),
        ({"ref_audio_path": "nobody.wav"}, "nobody.wav"),
    ],
)
def test_a_run_that_fails_says_why(
    view: DuplexView, recording: Path, fields: dict[str, Any], named: str
) -> None:
    given = {"user_audio_path": str(recording)} if "user_audio_path" not in fields else {}
    if not fields:
        given = {}
    output = view.offline_inference(DuplexOfflineInput.model_validate(given | fields))
    assert not output.success
    assert output.error is not None and named in output.error
    assert output.chunks == []
