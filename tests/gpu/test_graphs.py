"""Captured, fused forwards against plain ones, at the published sizes on one GPU.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import json
import sys
import unittest
from collections.abc import Generator, Iterator

import torch
from torch import Tensor

from MiniCPMO45.batching import Lane, Lanes
from MiniCPMO45.decoder import Decoder
from MiniCPMO45.kv_cache import CacheSlot, KVCache
from MiniCPMO45.llm import RotaryTable
from MiniCPMO45.packed_rows import Feed
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.speech_tokens import SpeechDecoder
from MiniCPMO45.speech_units import SpeechUnits
from MiniCPMO45.tts import SpeechTokenGenerator
from tests.gpu.full_size import PUBLISHED, GpuTestCase, random_model

TOLERANCE = 5e-2  # of the states' norm; bfloat16 through 36 layers gives about 0.02
N_SLOTS = 4
CAPACITY = 4096


def relative_difference(states: Tensor, expected: Tensor) -> float:
    return float((states.float() - expected.float()).norm() / expected.float().norm())


class FusedDecoderTest(GpuTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.device = torch.device("cuda")
        cls.model = random_model(cls.device, n_slots=N_SLOTS, max_length=CAPACITY)
        cls.plain = {
            name: Decoder(decoder.stack, decoder.cache, decoder.rotary)
            for name, decoder in (("llm", cls.model.language), ("tts", cls.model.speech))
        }
        cls.model.capture_graphs()
        cls.fused = {"llm": cls.model.language, "tts": cls.model.speech}

    def rows(self, name: str, count: int) -> Tensor:
        width = self.fused[name].stack.shape.hidden_size
        return torch.randn(count, width, device=self.device).bfloat16()

    def compare(self, name: str, cached: list[int], counts: list[int]) -> float:
        """The largest difference of any conversation's states: each on its own in plain PyTorch,
        and all in one captured forward."""
        fused, plain = self.fused[name], self.plain[name]
        slots = [fused.cache.acquire() for _ in counts]
        try:
            feeds, expected = [], []
            for slot, n_cached, count in zip(slots, cached, counts, strict=True):
                if n_cached:
                    plain.feed(self.rows(name, n_cached), slot)
                rows = self.rows(name, count)
                expected.append(plain.feed(rows, slot))
                written = self.written(fused, slot, n_cached)
                slot.truncate(n_cached)
                self.scribble(fused, slot, n_cached)
                feeds.append((Feed(rows, slot, n_cached), written))
            states = fused.run([feed for feed, _ in feeds])
            differences = [
                relative_difference(states_of, expected_of)
                for states_of, expected_of in zip(states, expected, strict=True)
            ]
            for (feed, written), n_cached in zip(feeds, cached, strict=True):
                again = self.written(fused, feed.slot, n_cached)
                differences.append(relative_difference(again, written))
                self.assertEqual(feed.slot.length, n_cached + feed.rows.shape[0])
        finally:
            for slot in slots:
                slot.close()
        report = {"decoder": name, "cached": cached, "rows": counts, "difference": max(differences)}
        sys.stderr.write(json.dumps(report) + "\n")
        return max(differences)

    def written(self, decoder: Decoder, slot: CacheSlot, first: int) -> Tensor:
        keys, values = decoder.cache.keys, decoder.cache.values
        filled = slice(first, slot.length)
        return torch.stack((keys[:, slot.index, filled], values[:, slot.index, filled])).clone()

    def scribble(self, decoder: Decoder, slot: CacheSlot, first: int) -> None:
        """What lies behind a conversation's end must not matter."""
        for tensor in (decoder.cache.keys, decoder.cache.values):
            tensor[:, slot.index, first:] = 7.0

    def test_forwards_of_one_conversation_equal_the_plain_ones(self) -> None:
        for name, longest in (("llm", CAPACITY), ("tts", 1024)):
            for n_cached in (0, 1, 63, 64, 700, longest - 300):
                for count in (1, 2, 11, 78, 200):
                    with self.subTest(decoder=name, cached=n_cached, rows=count):
                        self.assertLess(self.compare(name, [n_cached], [count]), TOLERANCE)

    def test_conversations_of_different_lengths_share_a_forward(self) -> None:
        for name in ("llm", "tts"):
            for counts in ([1, 1, 1, 1], [1, 90, 3, 1], [30, 2, 1, 63], [300, 1, 200, 17]):
                with self.subTest(decoder=name, rows=counts):
                    self.assertLess(self.compare(name, [0, 900, 5, 130], counts), TOLERANCE)

    def test_a_long_prompt_equals_the_plain_one(self) -> None:
        self.assertLess(self.compare("llm", [100], [2500]), TOLERANCE)

    def test_rows_that_only_fill_a_forward_up_write_nothing(self) -> None:
        decoder = self.fused["llm"]
        before = decoder.cache.keys[:, :, -1].clone(), decoder.cache.keys[:, :, 0].clone()
        with Session(self.model) as session:
            slot = session.slot
            session.feed_embeddings(self.rows("llm", 3))
            after = decoder.cache.keys[:, :, -1], decoder.cache.keys[:, :, 0]
            self.assertTrue(torch.equal(before[0], after[0]))
            others = [index for index in range(N_SLOTS) if index != slot.index]
            self.assertTrue(torch.equal(before[1][:, others], after[1][:, others]))

    def test_a_step_allocates_nothing_but_its_result(self) -> None:
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

    def test_only_forwards_of_captured_sizes_fit(self) -> None:
        fused = self.model.language.fused
        assert fused is not None
        self.assertFalse(fused.fits(2000, 1))
        self.assertTrue(fused.fits(1024, 3))


class SpeechUnitsTest(GpuTestCase):
    """In float32, where captured and plain draws can be the same."""

    N_CALLS = 5

    @classmethod
    def setUpClass(cls) -> None:
        device = torch.device("cuda")
        torch.manual_seed(0)
        config = PUBLISHED.tts_config
        cls.module = SpeechTokenGenerator(config).to(device)
        for name, parameter in cls.module.named_parameters():
            fan_in = parameter[0].numel()
            value = 1.0 if parameter.ndim == 1 else None
            if value is not None and not name.endswith("bias"):
                parameter.data.fill_(value)
            elif parameter.ndim > 1:
                parameter.data.normal_(std=fan_in**-0.5)
        cls.module.requires_grad_(False).fold()
        shape, dtype = cls.module.model.shape, torch.float32
        cache = KVCache(shape, n_slots=cls.N_CALLS, capacity=1024, device=device, dtype=dtype)
        rotary = RotaryTable(shape, 1024, device=device, dtype=dtype)
        cls.decoder = Decoder(cls.module.model, cache, rotary)
        cls.plain = Decoder(cls.module.model, cache, rotary)
        list(cls.decoder.capture())
        assert cls.decoder.fused is not None
        cls.units = SpeechUnits(cls.module, cls.decoder, cls.decoder.fused)
        list(cls.units.capture())

    def speech(self, seed: int, *, captured: bool) -> SpeechDecoder:
        backbone = self.decoder if captured else self.plain
        generator = torch.Generator("cuda").manual_seed(seed)
        units = self.units if captured else None
        sampling = SpeechSampling(temperature=0.7 + seed / 10)
        return SpeechDecoder(
            self.module, backbone, backbone.cache.acquire(), generator, sampling, units=units
        )

    def units_of(self, speech: SpeechDecoder, seed: int) -> Iterator[list[int]]:
        numbers = torch.Generator("cuda").manual_seed(100 + seed)
        limits = [(26, 26), (26, 26), (76, 0)]
        history: list[int] = []
        for limit, minimum in limits:
            width = speech.module.config.hidden_size
            rows = torch.randn(3 + seed, width, device="cuda", generator=numbers)
            earlier = torch.tensor(history[-16:], device="cuda") if history else None
            codes = speech.unit(rows, limit=limit, minimum=minimum, history=earlier)
            history += codes
            yield codes

    def test_units_drawn_together_are_those_drawn_alone_step_by_step(self) -> None:
        expected = []
        for seed in range(self.N_CALLS):
            speech = self.speech(seed, captured=False)
            expected.append([*self.units_of(speech, seed), speech.slot.length, speech.position])
            speech.slot.close()
        lanes, drawn = Lanes(), [[] for _ in range(self.N_CALLS)]
        speeches = [self.speech(seed, captured=True) for seed in range(self.N_CALLS)]

        def lane(seed: int) -> Lane:
            def steps() -> Generator[None, None, None]:
                for codes in self.units_of(speeches[seed], seed):
                    drawn[seed].append(codes)
                    yield

            return Lane(steps)

        for seed in range(self.N_CALLS):
            lanes.add(lane(seed))
        while lanes:
            lanes.turn()
        for codes, speech in zip(drawn, speeches, strict=True):
            codes += [speech.slot.length, speech.position]
            speech.slot.close()
        same = [ours == theirs for ours, theirs in zip(drawn, expected, strict=True)]
        self.assertEqual(same, [True] * self.N_CALLS)


if __name__ == "__main__":
    unittest.main()
