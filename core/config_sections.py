"""The sections of the configuration: every field, its default, its check and its meaning.

`config.py` loads them and is what programs import; docs/configuration.md is generated from here.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

PUBLISHED_MODEL = "openbmb/MiniCPM-o-4_5"
MODEL_PATH_VARIABLE = "MINICPMO45_MODEL_PATH"
WORKER_SECRET_VARIABLE = "MINICPMO45_WORKER_SECRET"
KEY_HASH_PREFIX = "sha256:"

NonEmpty = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
SessionCount = Annotated[int, Field(ge=1, le=64)]


def _checked_key(key: str) -> str:
    digest = key.removeprefix(KEY_HASH_PREFIX)
    if digest != key and not re.fullmatch("[0-9a-fA-F]{64}", digest):
        raise ValueError(f"{KEY_HASH_PREFIX} must be followed by 64 hexadecimal digits")
    return key


def _checked_network(network: str) -> str:
    ipaddress.ip_network(network, strict=False)
    return network


ApiKey = Annotated[NonEmpty, AfterValidator(_checked_key)]
Network = Annotated[str, AfterValidator(_checked_network)]


class Section(BaseModel):
    """A block of settings; `config.unknown_keys` tells of keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=()
    )


class ModelConfig(Section):
    """Which weights are loaded and how."""

    model_path: NonEmpty = Field(
        description=f"Folder with the weights or a hub id such as `{PUBLISHED_MODEL}`. "
        f"When it is missing, the environment variable `{MODEL_PATH_VARIABLE}` is used."
    )
    pt_path: str | None = Field(default=None, description="Extra weights laid over the base ones.")
    revision: str | None = Field(
        default=None, description="Branch, tag or commit of the hub repository to pin."
    )
    attn_implementation: Literal["auto", "flash_attention_2", "sdpa", "eager"] = Field(
        default="auto",
        description="`auto` takes flash-attn when it can be imported, else SDPA. An explicit "
        "`flash_attention_2` without the package stops the worker. The audio encoder always "
        "uses SDPA.",
    )
    cuda_graphs: bool = Field(
        default=True,
        description="Capture what the model does all the time (decoding, encoders, speech) as CUDA "
        "graphs at the start, which makes it several times faster. Off, everything is launched "
        "piece by piece, which helps to find faults.",
    )
    quantization: Literal["int8"] | None = Field(
        default=None,
        description="`int8` holds the layers of the language model in half the memory, rounded "
        "while they load; the vocabulary, the encoders and speech stay in bfloat16, as all does "
        "by default. See performance.md for what it changes.",
    )


class AudioConfig(Section):
    """Default voice and sound output."""

    ref_audio_path: str | None = Field(
        default="assets/ref_audio/ref_minicpm_signature.wav",
        description="Default voice. A path beginning with `assets/` is looked up below the "
        "project folder, then below `resources/`.",
    )
    playback_delay_ms: int = Field(
        default=200, ge=0, le=2000, description="How long pages buffer sound before playing it."
    )
    chat_vocoder: Literal["token2wav", "cosyvoice2"] = Field(
        default="token2wav", description="Vocoder of chat answers that are not streamed."
    )
    vocoder_backend: Literal["native", "stepaudio2"] = Field(
        default="native",
        description="`native` runs everywhere; `stepaudio2` is the original library, CUDA only "
        "(requirements-stepaudio2.txt).",
    )


class ServiceSectionConfig(Section):
    """Ports, processes and waiting-time estimates."""

    host: NonEmpty = Field(default="0.0.0.0", description="Address the gateway listens on.")
    gateway_port: Port = Field(default=8006, description="Port of the gateway.")
    worker_base_port: Port = Field(default=22400, description="Worker i listens on this port + i.")
    max_queue_size: Count = Field(default=1000, description="Requests that may wait for a worker.")
    request_timeout: Positive = Field(
        default=300.0, description="Seconds the gateway waits for a worker's HTTP answer."
    )
    compile: bool = Field(
        default=False,
        description="Another name for `model.cuda_graphs`, kept for earlier configurations and the "
        "option `--compile`: with it, CUDA graphs are captured even where `model.cuda_graphs` is "
        "`false`. Nothing is compiled with torch.compile, and a CPU knows no difference.",
    )
    data_dir: NonEmpty = Field(
        default="data",
        description="Folder for sessions and uploads, absolute or below the project folder.",
    )
    sessions_per_worker: Literal["auto"] | SessionCount = Field(
        default=1,
        description="Sessions that one worker serves at the same time. A GPU whose free memory "
        "does not hold so many serves fewer, which its log and `slots_total` in `/health` say. "
        '`"auto"` takes as many as fit, up to 16; on a CPU that is one.',
    )
    eta_chat_s: Positive = Field(default=15.0, description="Expected seconds of a chat request.")
    eta_streaming_s: Positive = Field(
        default=20.0, description="Expected seconds of a streaming turn."
    )
    eta_half_duplex_s: Positive = Field(
        default=180.0, description="Expected seconds of a half-duplex call."
    )
    eta_audio_duplex_s: Positive = Field(
        default=120.0, description="Expected seconds of an audio call."
    )
    eta_omni_duplex_s: Positive = Field(
        default=90.0, description="Expected seconds of an omni call."
    )
    eta_ema_alpha: float = Field(
        default=0.3, gt=0, le=1, description="Weight of the newest duration in the moving average."
    )
    eta_ema_min_samples: Count = Field(
        default=3,
        description="Finished requests needed before the moving average replaces the estimate.",
    )
    eta_overrun_floor_s: Positive = Field(
        default=15.0,
        description="Least remaining seconds assumed for a request that overran its estimate.",
    )

    @model_validator(mode="after")
    def ports_differ(self) -> ServiceSectionConfig:
        if self.gateway_port == self.worker_base_port:
            raise ValueError(
                f"gateway_port and worker_base_port are both {self.gateway_port}; they must differ"
            )
        return self


class DuplexWindowConfig(Section):
    """What a full-duplex call forgets when its context fills up."""

    mode: Literal["auto", "off", "basic", "context"] = Field(
        default="auto",
        description="`basic` drops the oldest units, `context` drops them but remembers what was "
        "said, `off` lets the call end when the context is full, `auto` is `basic` from the first "
        "time `high` is passed.",
    )
    high: Count = Field(default=8000, description="Cache length above which `basic` drops units.")
    low: Count = Field(default=6000, description="Cache length down to which `basic` drops units.")
    context_max_units: Count = Field(default=24, description="Units that `context` keeps.")
    context_previous_max: Count = Field(
        default=500, description="Tokens of speech `context` remembers."
    )

    @model_validator(mode="after")
    def low_is_below_high(self) -> DuplexWindowConfig:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be smaller than high ({self.high})")
        return self


class DuplexSectionConfig(Section):
    """Full-duplex behaviour. The defaults are the published ones."""

    pause_timeout: Positive = Field(default=60.0, description="Seconds a call may stay paused.")
    listen_in_open_turn: Literal["continue", "close"] = Field(
        default="continue",
        description="When the model wants to listen in the middle of its own turn: `continue` "
        "keeps it speaking, `close` ends the turn.",
    )
    penalize_control_tokens: bool = Field(
        default=True,
        description="Apply the text repetition penalty to listen, speak and end-of-turn too.",
    )
    penalize_cut_tokens: bool = Field(
        default=True,
        description="Keep a token that the characters-per-unit limit rejected in the penalty "
        "history, which makes it less likely as the next unit's first word.",
    )
    speak_first_token: bool = Field(
        default=False,
        description="Show and speak a word that the model puts where it normally says "
        "whether it listens or speaks.",
    )
    speech_top_p: float = Field(
        default=1.0, gt=0, le=1, description="Top-p of speech tokens; 1 is off."
    )
    speech_top_k: int = Field(default=0, ge=0, description="Top-k of speech tokens; 0 is off.")
    speech_penalty_across_units: bool = Field(
        default=False, description="Let the speech repetition penalty look back into earlier units."
    )
    window: DuplexWindowConfig = Field(
        default=DuplexWindowConfig(), description="See `duplex.window`."
    )


class RecordingConfig(Section):
    """What is kept of sessions, and for how long."""

    enabled: bool = Field(default=True, description="Record sessions that did not ask otherwise.")
    session_retention_days: int = Field(
        default=-1, ge=-1, description="Delete recordings after so many days; -1 is never."
    )
    max_storage_gb: float = Field(
        default=-1,
        ge=-1,
        description="Delete the oldest recordings above this size; -1 is unlimited.",
    )
    cleanup_first_s: Positive = Field(
        default=60.0, description="Seconds from start to first clean-up."
    )
    cleanup_period_h: Positive = Field(default=24.0, description="Hours between clean-ups.")
    replay_timeout_s: Positive = Field(
        default=120.0, description="Seconds allowed to merge a replay."
    )


class SecurityConfig(Section):
    """Who may do what. Requests from this machine itself need no token unless one is set here."""

    api_keys: list[ApiKey] = Field(
        default=[],
        description="Keys of which one is needed for inference, as they are or as "
        f"`{KEY_HASH_PREFIX}` and the hash in hexadecimal digits; empty leaves it open.",
    )
    admin_token: NonEmpty | None = Field(
        default=None,
        description="Token for administration. When null and the gateway is reachable from other "
        "machines, one is made in `<data_dir>/admin_token`.",
    )
    allowed_origins: list[NonEmpty] = Field(
        default=[], description="Other web origins whose pages may use the service."
    )
    worker_secret: NonEmpty | None = Field(
        default=None,
        description="Secret that workers register themselves with, and that those reachable from "
        f"other machines ask for. When null, the environment variable `{WORKER_SECRET_VARIABLE}` "
        "is used.",
    )
    trusted_proxies: list[Network] = Field(
        default=[],
        description="Addresses or networks of proxies in front of the gateway whose "
        "`X-Forwarded-For` names the client; one on this machine is always believed.",
    )


class LimitsConfig(Section):
    """Sizes and rates beyond which a request is refused."""

    chat_body_mb: Positive = Field(
        default=128, description="MiB of a chat request, HTTP or `/ws/chat`."
    )
    frame_mb: Positive = Field(default=16, description="MiB of a frame on the other WebSockets.")
    early_frames_mb: Positive = Field(
        default=16, description="MiB kept of frames sent while queued."
    )
    early_frames: Count = Field(default=64, description="Frames kept that were sent while queued.")
    json_depth: Count = Field(default=32, description="Levels of nesting in a JSON message.")
    messages: Count = Field(default=512, description="Messages per request.")
    images_per_message: Count = Field(default=64, description="Images per message.")
    image_megapixels: Positive = Field(default=20, description="Megapixels of one image.")
    audio_s: Positive = Field(default=600, description="Seconds of audio per request.")
    video_s: Positive = Field(default=60, description="Seconds of one video.")
    video_mb: Positive = Field(default=30, description="MiB of one video.")
    max_new_tokens: Count = Field(default=4096, description="Tokens a request may ask for.")
    ref_audio_min_s: Positive = Field(
        default=0.5, description="Shortest reference voice in seconds."
    )
    ref_audio_max_s: Positive = Field(
        default=30, description="Longest reference voice in seconds; longer ones are cropped."
    )
    voice_upload_mb: Positive = Field(default=10, description="MiB of an uploaded voice.")
    recording_upload_mb: Positive = Field(default=200, description="MiB of a page recording.")
    comment_chars: Count = Field(default=2000, description="Characters of a session comment.")
    debug_trace_kb: float = Field(
        default=64, ge=0, description="KiB of a page's report on its side of a call; 0 takes none."
    )
    debug_trace_file_mb: Positive = Field(
        default=5, description="MiB of all reports of a session; what comes after is dropped."
    )
    sessions_per_client: Count = Field(default=16, description="Live sessions per address or key.")
    sockets_per_client: Count = Field(default=64, description="Open WebSockets per address or key.")
    rest_calls_per_minute: Count = Field(
        default=120, description="REST calls a minute per address or key."
    )


class SessionsConfig(Section):
    """Timings: how long sessions may last, and how quickly their peers are missed."""

    half_duplex_max_s: Positive = Field(default=300, description="Longest half-duplex call.")
    half_duplex_idle_s: Positive = Field(
        default=120, description="Silence that ends a half-duplex call."
    )
    half_duplex_start_guard_s: float = Field(
        default=0.5, ge=0, description="Start of a half-duplex call in which speech is ignored."
    )
    streaming_prefill_idle_s: Positive = Field(
        default=60, description="Longest wait for `generate`."
    )
    duplex_idle_s: Positive = Field(
        default=60, description="Time without a chunk that ends a call."
    )
    duplex_max_s: Positive = Field(default=7200, description="Longest full-duplex call.")
    duplex_pause_max_s: Positive = Field(
        default=600, description="Longest pause a client may ask for."
    )
    ping_period_s: Positive = Field(default=20, description="Time between WebSocket pings.")
    pong_wait_s: Positive = Field(default=20, description="Longest wait for the answer to a ping.")
    queue_update_s: Positive = Field(default=3, description="Longest time between `queue_update`s.")
    health_period_s: Positive = Field(
        default=10, description="Time between health checks of a worker."
    )
    health_timeout_s: Positive = Field(default=5, description="Longest wait for a health answer.")
    health_failures: Count = Field(
        default=2, description="Failed checks among the last three that take a worker offline."
    )
    worker_connect_s: Positive = Field(
        default=10, description="Longest wait to connect to a worker."
    )
    worker_idle_wait_s: Positive = Field(
        default=5, description="Longest wait for a worker to be idle."
    )
