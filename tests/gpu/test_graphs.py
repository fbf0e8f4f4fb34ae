"""Captured forwards against eager ones, at the published sizes on one GPU.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import json
import sys
import unittest

import torch

from MiniCPMO45.decode_graphs import buckets
from MiniCPMO45.sessions.base import Session
from tests.gpu.full_size import random_model

WITHOUT_GPU = not torch.cuda.is_available()
N_STEPS = 24
TOLERANCE = 5e-2  # of the states' norm; bfloat16 through 36 layers gives about 0.02


def relative_difference(states: torch.Tensor, expected: torch.Tensor) -> float:
    return float((states.float() - expected.float()).norm() / expected.float().norm())


@unittest.skipIf(WITHOUT_GPU, "needs a CUDA device")
class DecodeGraphsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.device = torch.device("cuda")
        cls.model = random_model(cls.device, n_slots=2, max_length=2048)
        cls.model.capture_graphs()
        cls.graphs = (cls.model.decode_graphs, cls.model.speech_graphs)

    def use_graphs(self, use: bool) -> None:
        self.model.decode_graphs, self.model.speech_graphs = self.graphs if use else (None, None)

    def hidden_states(self, session: Session, n_cached: int) -> torch.Tensor:
        """Of some tokens after a prompt, ``[tokens, hidden]``."""
        session.slot.truncate(0)
        session.feed_ids([7 + index % 50 for index in range(n_cached)])
        tokens = torch.arange(100, 100 + N_STEPS, device=self.device)
        return torch.stack([session.feed_token(token) for token in tokens])

    def test_hidden_states_equal_the_eager_ones_on_both_sides_of_a_bucket(self) -> None:
        first_bucket = buckets(2048)[0]
        for n_cached in (20, first_bucket - N_STEPS // 2, 1500):
            with Session(self.model) as other, Session(self.model) as session:
                other.feed_ids([1, 2, 3])
                self.use_graphs(False)
                eager = self.hidden_states(session, n_cached)
                self.use_graphs(True)
                captured = self.hidden_states(session, n_cached)
                self.assertEqual(session.slot.length, n_cached + N_STEPS)
                self.assertEqual(
                    int(session.slot.cache.lengths[session.slot.index]), n_cached + N_STEPS
                )
                self.assertEqual(other.slot.length, 3)
            difference = relative_difference(captured, eager)
            sys.stderr.write(json.dumps({"cached": n_cached, "difference": difference}) + "\n")
            self.assertLess(difference, TOLERANCE)

    def test_short_prompts_equal_the_eager_ones_up_to_the_end_of_the_cache(self) -> None:
        for n_cached in (0, 100, 2048 - 100):
            for n_rows in (2, 12, 78, 100):
                states = []
                for use in (False, True):
                    self.use_graphs(use)
                    with Session(self.model) as session:
                        if n_cached:
                            session.feed_ids([7 + index % 50 for index in range(n_cached)])
                        states.append(session.feed_ids(list(range(100, 100 + n_rows))))
                        self.assertEqual(session.slot.length, n_cached + n_rows)
                        lengths = session.slot.cache.lengths
                        self.assertEqual(int(lengths[session.slot.index]), n_cached + n_rows)
                eager, captured = states
                self.assertEqual(eager.shape, captured.shape)
                message = f"{n_rows} rows after {n_cached}"
                self.assertLess(relative_difference(captured, eager), TOLERANCE, message)

    def test_speech_codes_equal_the_eager_ones(self) -> None:
        rows = torch.randn(11, self.model.config.tts_config.hidden_size, device=self.device)
        states = []
        for use in (False, True):
            self.use_graphs(use)
            with Session(self.model, seed=0) as session:
                decoder = session.speech_decoder()
                decoder.feed(rows.bfloat16())
                codes = torch.arange(30, device=self.device)
                fed = [decoder.feed(decoder.embed_codes(code[None])) for code in codes]
                self.assertEqual(decoder.position, 11 + 30)
                states.append(torch.stack(fed))
        eager, captured = states
        self.assertLess(relative_difference(captured, eager), TOLERANCE)

    def test_a_step_allocates_nothing_but_its_result(self) -> None:
        self.use_graphs(True)
        with Session(self.model) as session:
            session.feed_ids([1, 2, 3])
            token = torch.tensor(5, device=self.device)
            session.feed_token(token)
            torch.cuda.synchronize()
            before = torch.cuda.memory_allocated()
            for _ in range(10):
                session.feed_token(token)
            torch.cuda.synchronize()
            self.assertEqual(torch.cuda.memory_allocated(), before)


if __name__ == "__main__":
    unittest.main()
