"""Memory, and numbers that are none, at the published sizes on one GPU.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import gc
import unittest

import torch

from MiniCPMO45 import NotFiniteError
from MiniCPMO45.device_errors import is_device_lost, is_out_of_memory
from MiniCPMO45.packed_rows import Feed
from MiniCPMO45.sampling import NOT_FINITE, best_token, drawn_token, read_token
from MiniCPMO45.sessions.duplex import DuplexSession
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.slots import GIGABYTE, MARGIN_BYTES
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.speech_units import SpeechUnit
from tests.gpu.full_size import GpuTestCase, random_model
from tests.gpu.full_size_call import FRAME, PREFIX, SECOND, SUFFIX

CARD_BYTES = 25 * GIGABYTE  # what a program gets of a card that is sold with 24 GiB
NAN = float("nan")


class SmallCardTest(GpuTestCase):
    def test_a_small_card_serves_fewer_calls_within_its_memory(self) -> None:
        device = torch.device("cuda")
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        free = torch.cuda.mem_get_info()[0]
        if free < CARD_BYTES:
            self.skipTest("the device is smaller than the card that it should stand for")
        ballast = torch.empty(free - CARD_BYTES, dtype=torch.uint8, device=device)
        model = random_model(device, n_slots=16)
        before = torch.cuda.mem_get_info()[0]
        self.assertLess(model.n_slots, 16)
        model.capture_graphs()
        calls = []
        for _ in range(model.n_slots):
            session = DuplexSession(model, DuplexOptions(force_listen_count=0), seed=0)
            session.prepare(PREFIX, SUFFIX)
            session.prefill(SECOND, [FRAME], 9)
            session.generate()
            session.finalize()
            calls.append(session)
        used = before - torch.cuda.mem_get_info()[0]
        told = f"{model.n_slots} slots, {used / GIGABYTE:.2f} GB beside them"
        self.assertLess(used, MARGIN_BYTES, told)
        for session in calls:
            session.close()
        del ballast


class NotFiniteTest(GpuTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.device = torch.device("cuda")
        cls.model = random_model(cls.device, n_slots=2, max_length=1024, cuda_graphs=True)

    def test_choices_flag_scores_that_are_no_numbers(self) -> None:
        generator = torch.Generator("cuda").manual_seed(0)
        for bad in ([1.0, NAN, 2.0], [1.0, float("inf"), 0.0], [-float("inf")] * 3):
            scores = torch.tensor(bad, device=self.device)
            for token in (best_token(scores), drawn_token(scores, generator)):
                with self.assertRaises(NotFiniteError):
                    read_token(token)

    def test_draws_are_those_of_multinomial(self) -> None:
        scores = torch.randn(151748, device=self.device)
        numbers = [torch.Generator("cuda").manual_seed(4) for _ in range(2)]
        for _ in range(20):
            expected = torch.multinomial(scores.softmax(-1), 1, generator=numbers[0])
            self.assertEqual(read_token(drawn_token(scores, numbers[1])), int(expected))

    def test_what_a_lost_conversation_left_in_a_slot_is_never_read(self) -> None:
        language = self.model.language
        rows = torch.randn(2, 90, 4096, device=self.device).bfloat16()

        def states() -> list[torch.Tensor]:
            slots = [language.cache.acquire() for _ in rows]
            for first, end in ((0, 70), (70, 71), (71, 90)):
                feeds = [
                    Feed(own[first:end], slot, first) for own, slot in zip(rows, slots, strict=True)
                ]
                last = language.run(feeds)
            for slot in slots:
                slot.close()
            return last

        expected = states()
        for tensor in (language.cache.keys, language.cache.values):
            tensor.fill_(NAN)
        for state, clean in zip(states(), expected, strict=True):
            self.assertTrue(torch.equal(state, clean))

    def test_a_lost_second_of_speech_leaves_the_one_beside_it_as_alone(self) -> None:
        units, cache = self.model.speech_units, self.model.speech.cache
        assert units is not None
        config = self.model.tts.config
        rows = torch.randn(6, config.hidden_size, device=self.device).bfloat16()
        noise = torch.empty(26, config.num_audio_tokens, device=self.device).exponential_()
        slots = [cache.acquire() for _ in range(2)]

        def unit(index: int, rows: torch.Tensor) -> SpeechUnit:
            return SpeechUnit(rows, slots[index], 0, 26, 26, SpeechSampling(), [], noise)

        # Beside a sound one first: sizes of batches may round differently.
        expected, _ = units.run([unit(0, rows), unit(1, rows)])
        for slot in slots:
            slot.truncate(0)
        spoken, lost = units.run([unit(0, rows), unit(1, rows * NAN)])
        torch.cuda.synchronize()  # no code beyond the table was looked up
        for slot in slots:
            slot.close()
        self.assertEqual((spoken, lost), (expected, [NOT_FINITE]))

    def test_a_stream_hears_nothing_of_the_lost_one_before_it(self) -> None:
        def tokens() -> list[int]:
            with DuplexSession(self.model, DuplexOptions(force_listen_count=0), seed=0) as session:
                session.prepare(PREFIX, SUFFIX)
                for _ in range(2):  # the second one is of the usual shape
                    session.prefill(SECOND)
                    session.generate()
                    session.finalize()
                return session.unit_ids

        expected = tokens()
        caches = self.model.ear._caches
        for tensor in (caches.keys, caches.values):
            tensor.fill_(NAN)
        self.assertEqual(tokens(), expected)


class OutOfMemoryTest(GpuTestCase):
    def test_an_allocation_too_large_is_missing_memory_and_no_lost_device(self) -> None:
        with self.assertRaises(torch.OutOfMemoryError) as raised:
            torch.empty(1 << 50, dtype=torch.uint8, device="cuda")
        self.assertTrue(is_out_of_memory(raised.exception))
        self.assertFalse(is_device_lost(raised.exception))
        self.assertEqual(int(torch.ones(3, device="cuda").sum()), 3)


if __name__ == "__main__":
    unittest.main()
