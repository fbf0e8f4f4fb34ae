"""The wire models: what they accept, what they refuse, and what they fill in."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import core
from core import schemas
from core.schemas import (
    AudioContent,
    ChatRequest,
    ChatResponse,
    ChatServerMessage,
    ChatStreamRequest,
    ChunkMessage,
    ContentType,
    DoneMessage,
    DuplexConfig,
    DuplexGenerateResult,
    DuplexOfflineOutput,
    DuplexPrefillRequest,
    ErrorMessage,
    GenerationConfig,
    ImageConfig,
    ImageContent,
    Message,
    PrefillDoneMessage,
    QueuedMessage,
    QueueDoneMessage,
    QueueUpdateMessage,
    Role,
    RollbackResult,
    StreamingChunk,
    StreamingConfig,
    StreamingRequest,
    StreamingResponse,
    TextContent,
    TTSConfig,
    TTSMode,
    TTSSamplingParams,
    VideoContent,
    WorkerHealthResponse,
)

HELLO = [{"role": "user", "content": "hello"}]


def test_importing_core_does_not_load_torch() -> None:
    check = "import sys, core; sys.exit('torch' in sys.modules or not hasattr(core, 'ChatRequest'))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_core_exports_every_schema() -> None:
    assert all(getattr(core, name) is getattr(schemas, name) for name in schemas.__all__)


def test_enum_values_are_the_published_words() -> None:
    assert [role.value for role in Role] == ["system", "user", "assistant"]
    assert [kind.value for kind in ContentType] == ["text", "image", "audio", "video"]
    assert {mode.value for mode in TTSMode} == {
        "default",
        "audio_assistant",
        "omni",
        "audio_roleplay",
        "voice_cloning",
    }


def test_a_role_equals_its_word() -> None:
    assert Message.model_validate(HELLO[0]).role == "user"


def test_text_may_be_empty() -> None:
    assert TextContent(text="").text == ""


@pytest.mark.parametrize("kind", [ImageContent, AudioContent, VideoContent])
def test_media_need_data(kind: type[BaseModel]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate({})


def test_only_16_khz_audio_is_accepted() -> None:
    assert AudioContent(data="AAAA").sample_rate == 16000
    with pytest.raises(ValidationError, match="采样率必须为 16000"):
        AudioContent(data="AAAA", sample_rate=24000)


def test_stacked_frames_start_at_one() -> None:
    assert VideoContent(data="AAAA").stack_frames == 1
    with pytest.raises(ValidationError):
        VideoContent(data="AAAA", stack_frames=0)


def test_a_string_content_stays_a_string() -> None:
    assert Message(role=Role.USER, content="hi").content == "hi"


def test_a_list_content_keeps_the_class_of_each_item() -> None:
    message = Message.model_validate(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image", "data": "AA=="},
                {"type": "audio", "data": "AA=="},
                {"type": "video", "data": "AA==", "stack_frames": 3},
            ],
        }
    )
    assert [type(item) for item in message.content] == [
        TextContent,
        ImageContent,
        AudioContent,
        VideoContent,
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "robot", "content": "hi"},
        {"role": "user"},
        {"role": "user", "content": 5},
        {"role": "user", "content": [{"type": "smell", "data": "AA=="}]},
        {"role": "user", "content": [{"data": "AA=="}]},
    ],
)
def test_malformed_messages_are_refused(message: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Message.model_validate(message)


def test_speech_defaults() -> None:
    tts = TTSConfig()
    assert (tts.enabled, tts.mode, tts.language) == (False, TTSMode.AUDIO_ASSISTANT, "en")
    assert tts.ref_audio_path is tts.ref_audio_data is tts.ref_audio_max_ms is None
    assert tts.output_path is None
    assert tts.sampling == TTSSamplingParams(
        top_p=0.85,
        min_p=0.01,
        top_k=25,
        repetition_penalty=1.05,
        temperature=0.8,
        win_size=16,
        tau_r=0.1,
    )


def test_speech_without_a_reference_is_valid() -> None:
    assert TTSConfig(enabled=True).enabled


def test_image_and_generation_defaults() -> None:
    assert ImageConfig().model_dump() == {"max_slice_nums": None, "use_image_id": False}
    assert GenerationConfig().model_dump() == {
        "max_new_tokens": 512,
        "min_new_tokens": 0,
        "do_sample": True,
        "temperature": 0.7,
        "top_p": 0.8,
        "top_k": 100,
        "length_penalty": 1.1,
        "max_inp_length": 8192,
    }


BOUNDS = [
    (GenerationConfig, "max_new_tokens", (1, 4096), (0, 5000)),
    (GenerationConfig, "min_new_tokens", (0,), (-1,)),
    (GenerationConfig, "temperature", (0.0, 2.0), (-0.1, 2.1, float("nan"))),
    (GenerationConfig, "top_p", (0.0, 1.0), (-0.1, 1.1)),
    (GenerationConfig, "top_k", (0,), (-1,)),
    (GenerationConfig, "length_penalty", (0.1, 5.0), (0.0, 5.1)),
    (GenerationConfig, "max_inp_length", (1,), (0,)),
    (ImageConfig, "max_slice_nums", (1, 16), (0, 17)),
    (TTSConfig, "ref_audio_max_ms", (1000,), (999,)),
    (TTSSamplingParams, "top_p", (0.0, 1.0), (-0.1, 1.1)),
    (TTSSamplingParams, "min_p", (0.0, 1.0), (-0.1, 1.1)),
    (TTSSamplingParams, "top_k", (0,), (-1,)),
    (TTSSamplingParams, "repetition_penalty", (1.0,), (0.9,)),
    (TTSSamplingParams, "temperature", (0.0, 2.0), (-0.1, 2.1)),
    (TTSSamplingParams, "win_size", (1,), (0,)),
    (TTSSamplingParams, "tau_r", (0.0,), (-0.1,)),
    (StreamingConfig, "audio_token_chunk_size", (1,), (0,)),
    (DuplexConfig, "force_listen_count", (0,), (-1,)),
    (DuplexConfig, "max_new_speak_tokens_per_chunk", (1,), (0,)),
    (DuplexConfig, "temperature", (0.0, 2.0), (-0.1, 2.1)),
    (DuplexConfig, "top_k", (0,), (-1,)),
    (DuplexConfig, "top_p", (0.0, 1.0), (-0.1, 1.1)),
    (DuplexConfig, "text_repetition_penalty", (1.0,), (0.9,)),
    (DuplexConfig, "text_repetition_window_size", (1,), (0,)),
    (DuplexConfig, "length_penalty", (0.1, 5.0), (0.0, 5.1)),
    (DuplexConfig, "listen_prob_scale", (0.0,), (-0.1,)),
    (DuplexConfig, "tts_temperature", (0.0, 2.0), (-0.1, 2.1)),
    (DuplexConfig, "chunk_ms", (100,), (99,)),
    (DuplexPrefillRequest, "max_slice_nums", (1,), (0,)),
]


@pytest.mark.parametrize(("model", "field", "good", "bad"), BOUNDS)
def test_numbers_have_their_published_bounds(
    model: type[BaseModel], field: str, good: tuple[float, ...], bad: tuple[float, ...]
) -> None:
    for value in good:
        assert getattr(model.model_validate({field: value}), field) == value
    for value in bad:
        with pytest.raises(ValidationError):
            model.model_validate({field: value})


@pytest.mark.parametrize("model", [ChatRequest, ChatStreamRequest])
@pytest.mark.parametrize("body", [{}, {"messages": []}])
def test_a_request_needs_messages(model: type[BaseModel], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_a_plain_dictionary_validates_and_unknown_fields_are_ignored() -> None:
    request = ChatRequest.model_validate({"messages": HELLO, "colour": "blue"})
    assert request.messages[0].content == "hello"
    assert not (request.use_tts_template or request.omni_mode or request.enable_thinking)
    assert not request.return_prompt


def test_a_socket_answers_shorter_by_default() -> None:
    request = ChatStreamRequest.model_validate({"messages": HELLO, "generation": {"top_k": 5}})
    assert (request.generation.max_new_tokens, request.generation.top_k) == (256, 5)
    assert request.streaming
    with pytest.raises(ValidationError):
        ChatStreamRequest.model_validate(
            {"messages": HELLO, "generation": {"max_new_tokens": 4097}}
        )


def test_an_absent_switch_differs_from_one_set_to_its_default() -> None:
    given = ChatRequest.model_validate({"messages": HELLO, "enable_thinking": False})
    assert "enable_thinking" in given.model_fields_set
    assert "use_tts_template" not in given.model_fields_set


def test_json_keeps_chinese_text_and_payloads_as_they_are() -> None:
    request = ChatRequest.model_validate(
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "你好"}]}]}
    )
    assert "你好" in request.model_dump_json()
    assert "采样" in ChatResponse(text="采样").model_dump_json()


def test_a_response_defaults_to_success_without_sound() -> None:
    response = ChatResponse(text="hi")
    assert (response.success, response.audio_sample_rate) == (True, 24000)
    assert response.audio_data is response.error is response.prompt is response.token_stats is None
    with pytest.raises(ValidationError):
        ChatResponse.model_validate({})


def test_streaming_defaults() -> None:
    assert StreamingConfig().model_dump(exclude={"tts_sampling"}) == {
        "generate_audio": True,
        "audio_token_chunk_size": 25,
        "ref_audio_path": None,
        "ref_audio_data": None,
        "enable_speculative_snapshot": False,
    }
    request = StreamingRequest.model_validate({"session_id": "a", "messages": HELLO})
    assert (request.is_last_chunk, request.omni_mode) == (False, True)
    assert (request.use_tts_template, request.enable_thinking) == (True, False)
    assert StreamingChunk(chunk_index=0).model_dump() == {
        "chunk_index": 0,
        "text_delta": None,
        "audio_data": None,
        "audio_sample_rate": 24000,
        "is_final": False,
        "duration_ms": None,
    }
    whole = StreamingResponse(session_id="a", full_text="", total_chunks=0, total_duration_ms=0.0)
    assert (whole.success, whole.audio_sample_rate, whole.error) == (True, 24000, None)
    assert RollbackResult(success=True).restored_position is None


def test_duplex_defaults() -> None:
    assert DuplexConfig().model_dump() == {
        "generate_audio": True,
        "ls_mode": "explicit",
        "force_listen_count": 3,
        "max_new_speak_tokens_per_chunk": 20,
        "decode_mode": "sampling",
        "temperature": 0.7,
        "top_k": 20,
        "top_p": 0.8,
        "text_repetition_penalty": 1.05,
        "text_repetition_window_size": 512,
        "length_penalty": 1.1,
        "listen_prob_scale": 1.0,
        "listen_top_k": None,
        "tts_temperature": 0.8,
        "chunk_ms": 1000,
        "sample_rate": 16000,
        "max_slice_nums": None,
        "listen_in_open_turn": None,
        "penalize_control_tokens": None,
        "penalize_cut_tokens": None,
        "speak_first_token": None,
        "speech_top_p": None,
        "speech_top_k": None,
        "speech_penalty_across_units": None,
    }
    result = DuplexGenerateResult(is_listen=True)
    assert (result.text, result.audio_data, result.end_of_turn, result.current_time) == (
        "",
        None,
        False,
        0,
    )
    assert DuplexOfflineOutput(success=True).chunks == []


SERVER_MESSAGES = [
    QueuedMessage(position=1, estimated_wait_s=2.5, queue_length=1, ticket_id="q_1"),
    QueueUpdateMessage(position=1, estimated_wait_s=2.5, queue_length=1),
    QueueDoneMessage(),
    PrefillDoneMessage(input_tokens=5),
    ChunkMessage(text_delta="hi"),
    DoneMessage(text="hi", generated_tokens=1, input_tokens=5),
    ErrorMessage(error="no", code="bad_message", field="messages"),
]


@pytest.mark.parametrize("message", SERVER_MESSAGES, ids=lambda message: message.type)
def test_a_server_message_is_told_apart_by_its_type(message: schemas.ServerMessage) -> None:
    wire = json.loads(json.dumps(message.to_wire()))
    assert TypeAdapter(ChatServerMessage).validate_python(wire) == message


def test_a_null_is_sent_only_when_meant() -> None:
    assert "audio_data" not in ChunkMessage(text_delta="hi").to_wire()
    done = DoneMessage(text="hi", generated_tokens=1, input_tokens=5, audio_data=None)
    assert done.to_wire()["audio_data"] is None


def test_documented_names_are_sent_beside_the_real_ones() -> None:
    assert SERVER_MESSAGES[0].to_wire()["eta_seconds"] == 2.5
    assert SERVER_MESSAGES[-1].to_wire()["message"] == "no"


def test_worker_health_has_the_published_fields() -> None:
    health = WorkerHealthResponse.model_validate({"status": "healthy", "worker_status": "idle"})
    assert {
        "gpu_id",
        "model_loaded",
        "current_session_id",
        "total_requests",
        "avg_inference_time_ms",
        "kv_cache_length",
    } < health.model_dump().keys()
