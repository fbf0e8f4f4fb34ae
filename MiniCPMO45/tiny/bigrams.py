"""Token embeddings that point at the tokens which followed them in the corpus.

The embedding of a token is the sum of its followers' rows in the (random) output head, so a hidden
state that still resembles its own token's embedding scores exactly those highest. What the layers
add to the state varies the choice with the context.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from MiniCPMO45.tiny.corpus import paragraphs
from MiniCPMO45.tiny.tokenizer import token_id

Followers = dict[int, dict[int, float]]
"""For a token, the weight of each token that may follow it."""

OPENINGS = ("<|tts_bos|>", "user\n\n", "user\n")
"""Texts whose last token may stand right before an answer."""

END_WEIGHT = 2.6
"""For the end of an answer, where paragraphs end: large enough that always choosing the best
token ends after a sentence, small enough that sampling often goes on."""

LAST_WEIGHT = 1.3
"""For what followed a token's last occurrence in a paragraph's middle. Along such pairs positions
only grow, so choosing the best token every time seldom runs in circles."""

NEVER_SAID = -8.0
"""Times the constant channel, in the head's rows of tokens that no answer may hold."""


def teach_followers(
    tokenizer: Tokenizer, embeddings: NDArray[np.float32], head: NDArray[np.float32]
) -> None:
    """Rewrite the embeddings of the corpus's tokens; bar from answers what it does not hold.

    Both tables are ``[vocabulary, hidden]``. Channel 0 of the head is the bias.
    """
    followers_of = followers(tokenizer)
    for token, weights in followers_of.items():
        mixture = sum(np.float32(weight) * head[follower, 1:] for follower, weight in weights.items())
        embeddings[token, 1:] = mixture / np.sqrt(np.mean(np.square(mixture)))
    said = {follower for weights in followers_of.values() for follower in weights}
    head[:, 0] = NEVER_SAID
    head[sorted(said), 0] = 0.0


def followers(tokenizer: Tokenizer) -> Followers:
    """What follows what in the corpus; answers begin and end as its paragraphs do."""
    speech_end, turn_end = (token_id(tokenizer, end) for end in ("<|tts_eos|>", "<|im_end|>"))
    encoded = [tokenizer.encode(paragraph).ids for paragraph in paragraphs()]
    found: Followers = {speech_end: {turn_end: 1.0}}
    for ids in encoded:
        for token, follower in pairwise(ids):
            found.setdefault(token, {})[follower] = 1.0
    last = {token: follower for ids in encoded for token, follower in pairwise(ids)}
    for token, follower in last.items():
        found[token][follower] = LAST_WEIGHT
    for ids in encoded:
        found.setdefault(ids[-1], {})[speech_end] = END_WEIGHT

    beginnings = Counter(ids[0] for ids in encoded)
    common = {token: 1.0 for token, count in beginnings.items() if count > 1}
    for opening in OPENINGS:
        found[tokenizer.encode(opening).ids[-1]] = common
    return found
