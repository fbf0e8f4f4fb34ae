"""The JSON configuration files, with the published field names and small numbers."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer

from MiniCPMO45.tiny.tokenizer import token_id

EMBEDDING_ROWS_MULTIPLE = 64
TRANSFORMERS_VERSION = "4.51.0"


def model_config(tokenizer: Tokenizer) -> dict[str, Any]:
    """``config.json``; ``embedded`` and ``model_name`` are keys that no published one has."""
    hidden_size = 128
    return {
        "architectures": ["MiniCPMO"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "audio_chunk_length": 1.0,
        "audio_config": _audio_config(),
        "audio_pool_step": 5,
        "batch_vision_input": True,
        "bos_token_id": token_id(tokenizer, "<|endoftext|>"),
        "drop_vision_last_layer": False,
        "embedded": True,
        "eos_token_id": token_id(tokenizer, "<|im_end|>"),
        "head_dim": 32,
        "hidden_act": "silu",
        "hidden_size": hidden_size,
        "image_size": 448,
        "init_audio": True,
        "init_tts": True,
        "init_vision": True,
        "initializer_range": 0.02,
        "intermediate_size": 256,
        "listen_speak_type": "asr",
        "max_position_embeddings": 40960,
        "max_window_layers": 3,
        "model_name": "minicpm-o-tiny",
        "model_type": "minicpmo",
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "patch_size": 14,
        "query_num": 64,
        "rms_norm_eps": 1e-6,
        "rope_scaling": None,
        "rope_theta": 1000000.0,
        "slice_config": {
            "max_slice_nums": 1,
            "model_type": "minicpmv",
            "patch_size": 14,
            "scale_resolution": 448,
        },
        "slice_mode": True,
        "sliding_window": None,
        "stream_input": True,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "transformers_version": TRANSFORMERS_VERSION,
        "tts_config": _tts_config(tokenizer, hidden_size),
        "use_cache": True,
        "use_image_id": True,
        "use_sliding_window": False,
        "version": "4.5",
        "vision_batch_size": 16,
        "vision_config": _vision_config(),
        "vocab_size": tokenizer.get_vocab_size(),
    }


def generation_config(tokenizer: Tokenizer) -> dict[str, Any]:
    """``generation_config.json``."""
    end_of_text = token_id(tokenizer, "<|endoftext|>")
    return {
        "bos_token_id": end_of_text,
        "do_sample": True,
        "eos_token_id": [token_id(tokenizer, "<|im_end|>"), end_of_text],
        "pad_token_id": end_of_text,
        "temperature": 0.6,
        "top_k": 20,
        "top_p": 0.95,
        "transformers_version": TRANSFORMERS_VERSION,
    }


def preprocessor_config() -> dict[str, Any]:
    """``preprocessor_config.json``."""
    return {
        "audio_pool_step": 5,
        "feature_extractor_type": "MiniCPMAAudioProcessor",
        "im_end": "</image>",
        "im_id_end": "</image_id>",
        "im_id_start": "<image_id>",
        "im_start": "<image>",
        "image_feature_size": 64,
        "image_processor_type": "MiniCPMVImageProcessor",
        "max_slice_nums": 9,
        "norm_mean": [0.5, 0.5, 0.5],
        "norm_std": [0.5, 0.5, 0.5],
        "patch_size": 14,
        "processor_class": "MiniCPMOProcessor",
        "scale_resolution": 448,
        "slice_end": "</slice>",
        "slice_mode": True,
        "slice_start": "<slice>",
        "unk": "<unk>",
        "use_image_id": True,
        "version": 4.5,
    }


def _vision_config() -> dict[str, Any]:
    return {
        "attention_dropout": 0.0,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 64,
        "image_size": 980,
        "intermediate_size": 128,
        "layer_norm_eps": 1e-6,
        "model_type": "siglip_vision_model",
        "num_attention_heads": 4,
        "num_channels": 3,
        "num_hidden_layers": 2,
        "patch_size": 14,
    }


def _audio_config() -> dict[str, Any]:
    return {
        "activation_dropout": 0.0,
        "activation_function": "gelu",
        "attention_dropout": 0.0,
        "d_model": 64,
        "dropout": 0.0,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 256,
        "encoder_layerdrop": 0.0,
        "encoder_layers": 2,
        "max_source_positions": 1500,
        "model_type": "whisper",
        "num_hidden_layers": 2,
        "num_mel_bins": 80,
        "scale_embedding": False,
    }


def _tts_config(tokenizer: Tokenizer, llm_hidden_size: int) -> dict[str, Any]:
    n_blocks = -(-tokenizer.get_vocab_size() // EMBEDDING_ROWS_MULTIPLE)
    return {
        "attention_type": "full_attention",
        "audio_bos_token_id": token_id(tokenizer, "<focus>"),
        "audio_tokenizer_sample_rate": 16000,
        "audio_tokenizer_type": "s3tokenizer",
        "backbone_model": "llama",
        "condition_type": "hidden_text_merge",
        "hidden_act": "silu",
        "hidden_size": 64,
        "interleaved": False,
        "intermediate_size": 128,
        "llm_dim": llm_hidden_size,
        "max_position_embeddings": 4096,
        "model_type": "minicpmtts",
        "normalize_projected_hidden": True,
        "num_attention_heads": 4,
        "num_audio_tokens": 6562,
        "num_hidden_layers": 2,
        "num_key_value_heads": 4,
        "num_mel_bins": 100,
        "num_text_tokens": n_blocks * EMBEDDING_ROWS_MULTIPLE,
        "num_vq": 1,
        "projector_type": "mlp",
        "recomputed_chunks": 1,
        "repetition_penalty": 1.05,
        "s3_stream_chunk_size": 25,
        "s3_stream_generate": False,
        "s3_stream_n_timesteps": 10,
        "s3_stream_prelook_size": 3,
        "streaming_sliding_window_audio_window_size": 300,
        "text_eos_token_id": token_id(tokenizer, "</perception>"),
        "top_k": 25,
        "top_p": 0.85,
        "window_size": 2,
    }
