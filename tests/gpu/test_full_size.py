"""Published sizes on one GPU. Runs under pytest and under ``python -m unittest``."""

from __future__ import annotations

import json
import sys
import unittest

import numpy as np
import torch
from PIL import Image

from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, PromptOptions
from tests.gpu.full_size import GpuTestCase, random_model

PEAK_LIMIT_GB = 21.5


class FullSizeTest(GpuTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.device = torch.device("cuda")
        torch.cuda.reset_peak_memory_stats()
        cls.model = random_model(cls.device)

    def test_one_chat_with_an_image_and_speech_fits_in_memory(self) -> None:
        rng = np.random.default_rng(0)
        picture = Image.fromarray(rng.integers(0, 255, (720, 1280, 3), dtype=np.uint8))
        speech = rng.normal(scale=0.1, size=5 * 16000).astype(np.float32)
        messages = [ChatMessage("user", [picture, speech, "What is this?"])]
        options = GenerationOptions(max_new_tokens=32, min_new_tokens=32)
        with ChatSession(self.model, seed=0) as session:
            prompt = session.prefill(messages, PromptOptions())
            deltas = list(session.generate(options))
        peak_gb = torch.cuda.max_memory_allocated() / 1e9
        report = {
            "device": torch.cuda.get_device_name(),
            "prompt_tokens": prompt.n_tokens,
            "answer_tokens": deltas[-1].n_tokens,
            "peak_gb": round(peak_gb, 2),
        }
        sys.stderr.write(json.dumps(report) + "\n")
        self.assertEqual(deltas[-1].n_tokens, 32)
        self.assertLessEqual(peak_gb, PEAK_LIMIT_GB)


if __name__ == "__main__":
    unittest.main()
