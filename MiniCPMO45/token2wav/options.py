"""Choices that the token2wav folder leaves open."""

from __future__ import annotations

from dataclasses import dataclass

from MiniCPMO45.token2wav.trimming import EncoderTrim, EstimatorTrim

SILENCE_CODE = 4218


@dataclass(frozen=True)
class Token2WavOptions:
    """How speech is rendered.

    Args:
        flow_steps: solver steps; the published services use 5 or 10, which sound different.
        encoder_trim: what the encoder forgets in long turns, see ``keep_token_positions``.
        estimator_trim: what the estimator forgets, see ``keep_estimator_frames``.
        lookahead_code: stands behind the last code of a prompt.
        seed: of the noise all solutions start from.
        tensor_cores: on CUDA, let the float32 products that make mel frames round their operands to
            ten bits, which halves their time. The sound is as good and not the same to the sample.
    """

    flow_steps: int = 5
    encoder_trim: EncoderTrim = "split"
    estimator_trim: EstimatorTrim = "reference"
    lookahead_code: int = SILENCE_CODE
    seed: int = 0
    tensor_cores: bool = True
