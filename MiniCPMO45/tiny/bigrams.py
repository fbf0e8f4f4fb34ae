"""Token embeddings that point at the tokens which followed them in the corpus.

The output head is random. A token's embedding is solved from the head's rows such that its
followers get the chosen logits, so a hidden state that still resembles its own token's embedding
scores exactly those highest. What the layers add to the state varies the choice with the context.
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
"""For a token, the tokens that may follow it and by how much their logits exceed the others'."""

OPENINGS = ("<|tts_bos|>", "<|speak|>", "user\n\n", "user\n")
"""Texts whose last token may stand right before an answer."""

MOST_FOLLOWERS = 8
"""More would come too close to the logits that unrelated tokens get by chance."""

LAST_PREFERENCE = 1.0
"""For what followed a token's last occurrence. Along such pairs positions in the corpus only
grow, so choosing the best token every time does not run in circles."""

END_PREFERENCE = 2.7
"""For the end of an answer, where paragraphs end: always choosing the best token ends there,
sampling often goes on."""

NEVER_SAID = -8.0
"""Times the constant channel, in the head's rows of tokens that no answer may hold."""


def teach_followers(
    tokenizer: Tokenizer, embeddings: NDArray[np.float32], head: NDArray[np.float32]
) -> None:
    """Rewrite the embeddings of the corpus's tokens; bar from answers what it does not hold.

    Both tables are ``[vocabulary, hidden]``. Channel 0 of the head is the bias.
    """
    followers_of = followers(tokenizer)
    for token, preferences in followers_of.items():
        solve = np.linalg.pinv(head[list(preferences), 1:])  # [channels, followers]
        equally_likely = solve.sum(axis=1)
        equally_likely /= np.sqrt(np.mean(np.square(equally_likely)))
        embeddings[token, 1:] = equally_likely + solve @ np.array(list(preferences.values()))
    said = {follower for preferences in followers_of.values() for follower in preferences}
    head[:, 0] = NEVER_SAID
    head[sorted(said), 0] = 0.0


def followers(tokenizer: Tokenizer) -> Followers:
    """What follows what in the corpus; answers begin and end as its paragraphs do."""
    speech_end, turn_end = (token_id(tokenizer, end) for end in ("<|tts_eos|>", "<|im_end|>"))
    encoded = [tokenizer.encode(paragraph).ids for paragraph in paragraphs()]
    found: Followers = {speech_end: {turn_end: 0.0}}
    for ids in encoded:
        for token, follower in pairwise(ids):
            preferences = found.setdefault(token, {})
            preferences.pop(follower, None)  # to the end: the order is that of last occurrence
            preferences[follower] = 0.0
    for token, preferences in found.items():
        kept = list(preferences)[-MOST_FOLLOWERS:]
        found[token] = dict.fromkeys(kept, 0.0) | {kept[-1]: LAST_PREFERENCE}
    for ids in encoded:
        found.setdefault(ids[-1], {})[speech_end] = END_PREFERENCE

    beginnings = Counter(ids[0] for ids in encoded).most_common(MOST_FOLLOWERS)
    for opening in OPENINGS:
        found[tokenizer.encode(opening).ids[-1]] = dict.fromkeys(dict(beginnings), 0.0)
    return found
