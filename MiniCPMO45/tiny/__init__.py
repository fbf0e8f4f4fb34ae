"""The embedded checkpoint: a random MiniCPM-o of a few megabytes in the official file layout.

``python -m MiniCPMO45.tiny OUT_DIR`` writes it. It lets the whole service run where neither the
published weights nor a GPU are at hand: the same code path with smaller numbers. Its encoders and
layers are random and its token embeddings only know which token followed which in ``corpus.txt``,
so its answers are readable and end by themselves, but mean nothing.
"""

from MiniCPMO45.tiny.builder import build, is_current

__all__ = ["build", "is_current"]
