"""The garbage collector of a worker: what came with the start is never looked through again."""

from __future__ import annotations

import gc


def spare_what_is_loaded() -> None:
    """Exempt all objects there are now; call it once, when the model is loaded and warm.

    The libraries and the model are some 400,000 objects that stay to the end. A full collection
    goes through all of them, which stops every thread for 100 to 500 ms, in the middle of the
    second of a call. Without them it takes less than 1 ms. The thresholds stay: two minutes of a
    call cause four collections of the youngest objects, each below 1 ms, and none beyond these.
    """
    gc.collect()
    gc.freeze()
