"""Full-duplex units at the published sizes on one GPU, with random weights.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import json
import statistics
import sys
import unittest

import torch

from tests.gpu.full_size import GpuTestCase, random_model
from tests.gpu.full_size_call import LISTEN, SPEAK, ScriptedCall
from tests.gpu.full_size_speech import random_token2wav, random_voice

REPEATS = 8


class DuplexTest(GpuTestCase):
    def test_units_that_listen_and_units_that_speak_are_done_within_their_second(self) -> None:
        device = torch.device("cuda")
        model = random_model(device, max_length=8192)
        token2wav = random_token2wav(device, torch.float32)
        call = ScriptedCall(model, token2wav, random_voice(token2wav))
        medians_ms = {}
        for name, words in (("listen", LISTEN), ("speak", SPEAK)):
            call.unit(words)
            units = [call.unit(words) for _ in range(REPEATS)]
            self.assertTrue(all(result.is_listen == (words is LISTEN) for _, result in units))
            medians_ms[f"{name}_unit_ms"] = round(statistics.median(ms for ms, _ in units), 1)
            if words is SPEAK:
                self.assertTrue(all(result.n_speech_tokens for _, result in units))
                self.assertTrue(all(result.waveform is not None for _, result in units))
        call.close()
        report = {"device": torch.cuda.get_device_name(), **medians_ms}
        sys.stderr.write(json.dumps(report) + "\n")
        self.assertLess(max(medians_ms.values()), 1000)


if __name__ == "__main__":
    unittest.main()
