"""The 106 added tokens of the published tokenizer, by string, order and flags."""

from __future__ import annotations

UNKNOWN = "<unk>"
"""An entry of the base vocabulary that is promoted to a special token."""

FRAME_AND_VISION = (
    "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> "
    "<|box_start|> <|box_end|> <|quad_start|> <|quad_end|> "
    "<|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>"
).split()

TOOLS_AND_THOUGHTS = (
    "<tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> "
    "<|repo_name|> <|file_sep|> <tool_response> </tool_response> <think> </think>"
).split()
"""Added, but not special: decoding with ``skip_special_tokens`` keeps them."""

PAIRS = (
    "image ref box quad point slice image_id unit answer focus line perception source_image "
    "image_save_to"
).split()

SPEECH = (
    "<|audio_start|> <|audio|> <|audio_end|> <|spk_bos|> <|spk|> <|spk_eos|> "
    "<|tts_bos|> <|tts_eos|> <|listen|> <|speak|> <|interrupt|> <|vad_start|> <|vad_end|> "
    "<|emotion_start|> <|emotion_end|> <|speed_start|> <|speed_end|> <|pitch_start|> <|pitch_end|>"
).split()

TURNS = "<|turn_bos|> <|turn_eos|>".split()

CHUNKS = "<|chunk_eos|> <|chunk_bos|> <|chunk_tts_bos|> <|chunk_tts_eos|> <|tts_pad|>".split()

TIMBRES = [f"<|timbre_{index}|>" for index in range(7, 32)]

MULTIMODAL = [tag for name in PAIRS for tag in (f"<{name}>", f"</{name}>")] + SPEECH

AFTER_BASE = FRAME_AND_VISION + TOOLS_AND_THOUGHTS + MULTIMODAL + TURNS + CHUNKS + TIMBRES
"""The 105 tokens whose ids follow the base vocabulary, in id order."""

DECLARED = [UNKNOWN, *MULTIMODAL, *CHUNKS, *TIMBRES]
"""What ``special_tokens_map.json`` declares as additional: fewer than those flagged special."""


def is_special(token: str) -> bool:
    """Whether ``tokenizer.json`` flags an added token as special."""
    return token not in TOOLS_AND_THOUGHTS
