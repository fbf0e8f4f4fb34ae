"""Listening or speaking in a call: what the embedded checkpoint decides after each second of sound.

Channel 1 of the language model marks sound: the audio projection writes it, text holds nothing
there. The head's rows of the deciding tokens answer to it, so they win after sound and are barred
everywhere else; which of them wins is as good as drawn. Channel 2 marks the end of a turn, after
which the model listens. No layer writes to either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from MiniCPMO45.tiny.bigrams import NEVER_SAID
from MiniCPMO45.tiny.tokenizer import token_id

SOUND, TURN_OVER = 1, 2
"""The channels."""

MARK = 4.0
"""What they hold where something is marked."""

LEAD = 8.0
"""Logits by which a decision leads over words: more than any word reaches by chance."""

PREFERENCES = {"<|listen|>": 0.0, "<|speak|>": -0.3, "<|turn_eos|>": 0.6}
"""Logits on top; the end of a turn is made up for the usual length penalty."""

INFLUENCE = 0.3
"""How much of their random logits the decisions keep: what is heard turns them a little."""


def teach_decisions(
    tokenizer: Tokenizer, weights: dict[str, NDArray[np.float32]], constant: float
) -> None:
    """Reserve two channels for decisions; ``constant`` is what channel 0 holds everywhere."""
    embeddings = weights["llm.model.embed_tokens.weight"]  # [vocabulary, hidden]
    head = weights["llm.lm_head.weight"]  # [vocabulary, hidden]
    marks = [SOUND, TURN_OVER]
    for name, values in weights.items():
        if name.startswith("llm.") and name.endswith((".o_proj.weight", ".down_proj.weight")):
            values[marks] = 0.0
    weights["audio_projection_layer.linear2.weight"][[0, *marks]] = 0.0
    weights["audio_projection_layer.linear2.bias"][[0, *marks]] = constant, MARK, 0.0

    embeddings[:, marks] = head[:, marks] = 0.0
    embeddings[token_id(tokenizer, "<|turn_eos|>"), TURN_OVER] = MARK
    enough = (LEAD - NEVER_SAID * constant) / MARK
    for token, preference in PREFERENCES.items():
        row = head[token_id(tokenizer, token)]
        row[TURN_OVER + 1 :] *= INFLUENCE
        row[SOUND] = enough + preference / MARK
    head[token_id(tokenizer, "<|listen|>"), TURN_OVER] = enough
