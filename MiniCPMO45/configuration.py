"""Dataclasses over a checkpoint's ``config.json``, under the published field names.

Only fields that change what the model computes are kept; others in the file are ignored.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from MiniCPMO45.errors import CheckpointError

ConfigType = TypeVar("ConfigType")


def _from_dict(cls: type[ConfigType], values: dict[str, Any]) -> ConfigType:
    """Build a config dataclass from the keys it knows, leaving the rest at their defaults."""
    known = {f.name for f in dataclasses.fields(cls)}  # pyright: ignore[reportArgumentType]
    return cls(**{key: value for key, value in values.items() if key in known})


@dataclass(frozen=True)
class VisionConfig:
    """The SigLIP vision transformer (``vpm.``)."""

    hidden_size: int = 1152
    intermediate_size: int = 4304
    num_hidden_layers: int = 27
    num_attention_heads: int = 16
    num_channels: int = 3
    image_size: int = 980
    patch_size: int = 14
    layer_norm_eps: float = 1e-6


@dataclass(frozen=True)
class AudioConfig:
    """The Whisper audio encoder (``apm.``)."""

    d_model: int = 384
    encoder_layers: int = 4
    encoder_attention_heads: int = 6
    encoder_ffn_dim: int = 1536
    num_mel_bins: int = 80
    max_source_positions: int = 1500


@dataclass(frozen=True)
class TTSConfig:
    """The speech-token generator (``tts.``)."""

    llm_dim: int = 2560
    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 20
    num_attention_heads: int = 12
    num_key_value_heads: int = 12
    max_position_embeddings: int = 4096
    num_audio_tokens: int = 4097
    num_text_tokens: int = 21178
    num_vq: int = 1
    audio_bos_token_id: int = 21132
    text_eos_token_id: int = 21133
    normalize_projected_hidden: bool = False
    attention_type: str = "sliding_recompute"
    recomputed_chunks: int = 1
    window_size: int = 2
    streaming_sliding_window_audio_window_size: int = 300
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0


@dataclass(frozen=True)
class MiniCPMOConfig:
    """The whole model: decoder fields at the top level, one dataclass per sub-module."""

    vocab_size: int = 151936
    hidden_size: int = 4096
    intermediate_size: int = 22016
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int = 32
    head_dim: int = 128
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    max_position_embeddings: int = 32768
    query_num: int = 64
    drop_vision_last_layer: bool = True
    vision_batch_size: int = 16
    audio_pool_step: int = 5
    audio_chunk_length: float = 1.0
    stream_input: bool = False
    init_vision: bool = True
    init_audio: bool = True
    init_tts: bool = True
    embedded: bool = False
    """True only for the small checkpoints that come with the service, trained or random."""

    model_name: str = ""
    """What the checkpoint calls itself; without it, its folder names it."""

    vision_config: VisionConfig = field(default_factory=VisionConfig)
    audio_config: AudioConfig = field(default_factory=AudioConfig)
    tts_config: TTSConfig = field(default_factory=TTSConfig)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MiniCPMOConfig:
        """Build the configuration from the parsed ``config.json``.

        Raises:
            CheckpointError: the checkpoint is of another model or is quantised.
        """
        if values.get("model_type") != "minicpmo" or str(values.get("version")) != "4.5":
            raise CheckpointError(
                "config.json describes model_type "
                f"{values.get('model_type')!r} version {values.get('version')!r}; "
                "expected 'minicpmo' version '4.5'"
            )
        method = (values.get("quantization_config") or {}).get("quant_method")
        if method:
            raise CheckpointError(
                f"config.json: quantization_config.quant_method {method!r} is not supported; "
                "use the unquantised checkpoint"
            )
        nested = {
            "vision_config": _from_dict(VisionConfig, values.get("vision_config") or {}),
            "audio_config": _from_dict(AudioConfig, values.get("audio_config") or {}),
            "tts_config": _from_dict(TTSConfig, values.get("tts_config") or {}),
        }
        return _from_dict(cls, {**values, **nested})

    @classmethod
    def from_folder(cls, folder: Path) -> MiniCPMOConfig:
        """Read ``config.json`` in a checkpoint folder.

        Raises:
            CheckpointError: the file is missing, is not JSON, or describes another model.
        """
        path = folder / "config.json"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror}") from error
        except json.JSONDecodeError as error:
            raise CheckpointError(f"{path} is not valid JSON: {error}") from error
        return cls.from_dict(values)
