"""Sample-rate conversion by windowed-sinc interpolation (https://ccrma.stanford.edu/~jos/resample/)."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.errors import MediaError

ZERO_CROSSINGS = 6
ROLLOFF = 0.99  # of the lower Nyquist frequency
_LARGEST_KERNEL = 4_000_000  # elements; rates without a common factor would need far more


def resample(waveform: Tensor, rate_in: int, rate_out: int) -> Tensor:
    """Float32 ``[..., n]`` at ``rate_in`` to ``[..., ceil(n * rate_out / rate_in)]``.

    Samples outside the clip count as zero.

    Raises:
        MediaError: the two rates have too small a common factor.
    """
    if rate_in == rate_out:
        return waveform
    common = math.gcd(rate_in, rate_out)
    step, phases = rate_in // common, rate_out // common
    half_width = math.ceil(ZERO_CROSSINGS * step / (ROLLOFF * min(step, phases)))
    if phases * (2 * half_width + step) > _LARGEST_KERNEL:
        raise MediaError(f"audio at {rate_in} Hz cannot be resampled to {rate_out} Hz")
    kernel = sinc_kernel(step, phases, half_width)
    n_samples = waveform.shape[-1]
    padded = functional.pad(waveform.reshape(-1, 1, n_samples), (half_width, half_width + step))
    interleaved = functional.conv1d(padded, kernel, stride=step)  # [C, phases, blocks]
    samples = interleaved.transpose(1, 2).flatten(1)
    n_out = -(-phases * n_samples // step)
    return samples[:, :n_out].reshape(*waveform.shape[:-1], n_out)


@lru_cache(maxsize=4)  # few rates come, and come again
def sinc_kernel(step: int, phases: int, half_width: int) -> Tensor:
    """One low-pass filter for every output phase, float32 ``[phases, 1, 2 * half_width + step]``.

    Tap ``k`` of phase ``r`` weighs the input ``k - half_width`` samples after the block's first.
    """
    band = ROLLOFF * min(step, phases)
    taps = torch.arange(-half_width, half_width + step, dtype=torch.float64) / step
    offsets = torch.arange(phases, dtype=torch.float64) / phases
    crossings = (band * (taps - offsets[:, None])).clamp(-ZERO_CROSSINGS, ZERO_CROSSINGS)
    window = torch.cos(math.pi * crossings / (2 * ZERO_CROSSINGS)).square()
    kernel = band / step * torch.sinc(crossings) * window
    return kernel.float()[:, None]
