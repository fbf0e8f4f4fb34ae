"""Names and shapes of all tensors in a checkpoint, from its configuration."""

from __future__ import annotations

from typing import Any

Shape = tuple[int, ...]
Layout = dict[str, Shape]


def checkpoint_layout(config: dict[str, Any]) -> Layout:
    """Every tensor of the published layout that something reads.

    ``tts.model.embed_tokens.weight`` is left out: nothing uses its 32000 rows.
    """
    audio, hidden = config["audio_config"], config["hidden_size"]
    return {
        **_under("llm", _language_model(config)),
        **_under("vpm", _vision(config["vision_config"])),
        **_under("resampler", _resampler(config)),
        **_under("apm", _audio(audio)),
        **_under("audio_projection_layer", _mlp(audio["encoder_ffn_dim"] // 4, hidden)),
        **_under("tts", _speech(config["tts_config"])),
    }


def _language_model(config: dict[str, Any]) -> Layout:
    embedding = (config["vocab_size"], config["hidden_size"])
    layout = {"model.embed_tokens.weight": embedding, "lm_head.weight": embedding}
    return layout | _under("model", _decoder(config, config["head_dim"], normed_heads=True))


def _speech(config: dict[str, Any]) -> Layout:
    hidden, codes = config["hidden_size"], config["num_audio_tokens"]
    head_dim = hidden // config["num_attention_heads"]
    return {
        "emb_text.weight": (config["num_text_tokens"], hidden),
        "emb_code.0.weight": (codes, hidden),
        "head_code.0.parametrizations.weight.original0": (codes, 1),
        "head_code.0.parametrizations.weight.original1": (codes, hidden),
        **_under("projector_semantic", _mlp(config["llm_dim"], hidden)),
        **_under("projector_spk", _mlp(config["llm_dim"], hidden)),
        **_under("model", _decoder(config, head_dim, normed_heads=False)),
    }


def _decoder(config: dict[str, Any], head_dim: int, *, normed_heads: bool) -> Layout:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    query_width = config["num_attention_heads"] * head_dim
    kv_width = config["num_key_value_heads"] * head_dim
    layer: Layout = {
        "input_layernorm.weight": (hidden,),
        "self_attn.q_proj.weight": (query_width, hidden),
        "self_attn.k_proj.weight": (kv_width, hidden),
        "self_attn.v_proj.weight": (kv_width, hidden),
        "self_attn.o_proj.weight": (hidden, query_width),
        "post_attention_layernorm.weight": (hidden,),
        "mlp.gate_proj.weight": (inner, hidden),
        "mlp.up_proj.weight": (inner, hidden),
        "mlp.down_proj.weight": (hidden, inner),
    }
    if normed_heads:
        layer["self_attn.q_norm.weight"] = layer["self_attn.k_norm.weight"] = (head_dim,)
    return _repeated("layers", config["num_hidden_layers"], layer) | {"norm.weight": (hidden,)}


def _vision(config: dict[str, Any]) -> Layout:
    hidden, patch = config["hidden_size"], config["patch_size"]
    n_layers = config["num_hidden_layers"]
    layer = {
        **_affine("layer_norm1", hidden),
        **_affine("layer_norm2", hidden),
        **_attention(hidden, key_bias=True),
        **_linear("mlp.fc1", hidden, config["intermediate_size"]),
        **_linear("mlp.fc2", config["intermediate_size"], hidden),
    }
    return {
        "embeddings.patch_embedding.weight": (hidden, config["num_channels"], patch, patch),
        "embeddings.patch_embedding.bias": (hidden,),
        "embeddings.position_embedding.weight": ((config["image_size"] // patch) ** 2, hidden),
        **_repeated("encoder.layers", n_layers, layer),
        **_affine("post_layernorm", hidden),
    }


def _resampler(config: dict[str, Any]) -> Layout:
    hidden = config["hidden_size"]
    return {
        "query": (config["query_num"], hidden),
        "proj": (hidden, hidden),
        "kv_proj.weight": (hidden, config["vision_config"]["hidden_size"]),
        "attn.in_proj_weight": (3 * hidden, hidden),
        "attn.in_proj_bias": (3 * hidden,),
        **_linear("attn.out_proj", hidden, hidden),
        **_affine("ln_q", hidden),
        **_affine("ln_kv", hidden),
        **_affine("ln_post", hidden),
    }


def _audio(config: dict[str, Any]) -> Layout:
    hidden, inner = config["d_model"], config["encoder_ffn_dim"]
    layer = {
        **_affine("self_attn_layer_norm", hidden),
        **_attention(hidden, key_bias=False),
        **_affine("final_layer_norm", hidden),
        **_linear("fc1", hidden, inner),
        **_linear("fc2", inner, hidden),
    }
    return {
        "conv1.weight": (hidden, config["num_mel_bins"], 3),
        "conv1.bias": (hidden,),
        "conv2.weight": (hidden, hidden, 3),
        "conv2.bias": (hidden,),
        "embed_positions.weight": (config["max_source_positions"], hidden),
        **_repeated("layers", config["encoder_layers"], layer),
        **_affine("layer_norm", hidden),
    }


def _attention(width: int, *, key_bias: bool) -> Layout:
    layout: Layout = {}
    for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
        layout |= _linear(f"self_attn.{projection}", width, width)
    if not key_bias:
        del layout["self_attn.k_proj.bias"]
    return layout


def _mlp(width_in: int, width_out: int) -> Layout:
    return _linear("linear1", width_in, width_out) | _linear("linear2", width_out, width_out)


def _linear(name: str, width_in: int, width_out: int) -> Layout:
    return {f"{name}.weight": (width_out, width_in), f"{name}.bias": (width_out,)}


def _affine(name: str, width: int) -> Layout:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _repeated(name: str, count: int, layout: Layout) -> Layout:
    repeated: Layout = {}
    for index in range(count):
        repeated |= _under(f"{name}.{index}", layout)
    return repeated


def _under(prefix: str, layout: Layout) -> Layout:
    return {f"{prefix}.{name}": shape for name, shape in layout.items()}
