"""The recorded tiny checkpoint on a GPU: the same numbers as on the CPU."""

from __future__ import annotations

import unittest

import torch

from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO
from tests.golden.inputs import picture, wave
from tests.gpu.full_size import TOKENIZER_FOLDER, GpuTestCase


@unittest.skipIf(not torch.cuda.is_available(), "needs a CUDA device")
class TinyOnGpuTest(GpuTestCase):
    def test_greedy_answers_in_float32_are_the_same_on_both_devices_and_with_graphs(self) -> None:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        messages = [ChatMessage("user", [picture(1, 300, 200), wave(1, 1.3), "What is it?"])]
        answers = []
        for device, cuda_graphs in (("cpu", False), ("cuda", False), ("cuda", True)):
            model = MiniCPMO.load(
                str(TOKENIZER_FOLDER), device=device, dtype=torch.float32, cuda_graphs=cuda_graphs
            )
            with ChatSession(model, seed=0) as session:
                session.prefill(messages)
                list(session.generate(GenerationOptions(do_sample=False, max_new_tokens=24)))
                assert session.answer is not None
                answers.append(session.answer.token_ids)
        self.assertEqual(answers[1:], answers[:1] * 2)

    def test_every_backend_that_runs_here_gives_the_same_scores(self) -> None:
        ids = list(range(40, 90))
        scores = []
        for backend in ("sdpa", "eager"):
            model = MiniCPMO.load(str(TOKENIZER_FOLDER), device="cuda", attn_implementation=backend)
            with ChatSession(model) as session:
                scores.append(session.scores(session.feed_ids(ids)))
        torch.testing.assert_close(scores[0], scores[1], atol=0.3, rtol=0.05)


if __name__ == "__main__":
    unittest.main()
