"""The player of speech in a real Chromium, whose audio contexts run at real speed."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.browser.chromium import judges_time
from tests.browser.conftest import OpenVisit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PIECE_MS = 500
TONE_HZ = 330
AMPLITUDE = 0.5
# Pieces of one tone arrive at given times; what leaves the player is recorded sample by sample.
PLAY = """async ([arrivalsMs, pieceMs, toneHz, amplitude]) => {
    const { Player } = await import('/static/audio/player.js');
    const player = new Player({ playbackDelayMs: 200 });
    player.unlock();
    const { context } = player.analyser;
    await context.audioWorklet.addModule('/static/audio/capture-worklet.js');
    const recorder = new AudioWorkletNode(context, 'capture', {
        processorOptions: { chunkSize: 2400, inputRate: 24000, outputRate: 24000 } });
    const heard = [];
    recorder.port.onmessage = ({ data }) => heard.push(...data.audio);
    recorder.port.postMessage({ type: 'start' });
    player.analyser.connect(recorder);
    const events = [];
    for (const name of ['start', 'gap']) player.on(name, (event) => events.push([name, event]));
    const idle = new Promise((resolve) => player.on('idle', resolve));
    const length = pieceMs * 24;
    const piece = (index) => Float32Array.from({ length }, (_, at) =>
        amplitude * Math.sin(2 * Math.PI * toneHz * (index * length + at) / 24000));
    player.beginTurn();
    const beganMs = performance.now();
    for (const [index, arrivalMs] of arrivalsMs.entries()) {
        const leftMs = beganMs + arrivalMs - performance.now();
        await new Promise((resolve) => setTimeout(resolve, leftMs));
        player.push(piece(index));
    }
    player.endTurn();
    await idle;
    recorder.port.postMessage({ type: 'flush' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { stats, playedMs } = player;
    player.close();
    return { stats, playedMs, events, heard };
}"""


async def play(open_visit: OpenVisit, arrivals_ms: list[float]) -> dict[str, Any]:
    async with open_visit() as guest:
        await guest.open("/turnbased")
        return await guest.page.evaluate(PLAY, [arrivals_ms, PIECE_MS, TONE_HZ, AMPLITUDE])


def silences_ms(heard: list[float]) -> list[float]:
    """Lengths of the holes between the first and the last sound."""
    sounding = np.flatnonzero(np.abs(np.asarray(heard)) > 1e-6)
    lengths_ms = np.diff(sounding) / 24
    return [float(length) for length in lengths_ms if length > 1]


@judges_time
async def test_jitter_within_the_delay_is_not_heard(real_visit: OpenVisit) -> None:
    jitter_ms = random.Random(4)
    arrivals_ms = [index * PIECE_MS + jitter_ms.uniform(0, 80) for index in range(8)]
    result = await play(real_visit, arrivals_ms)
    assert result["stats"]["gaps"] == result["stats"]["shiftMs"] == 0
    assert 200 <= result["stats"]["holdMs"] < 300
    assert result["playedMs"] == pytest.approx(8 * PIECE_MS)
    assert [name for name, _ in result["events"]] == ["start"]
    assert silences_ms(result["heard"]) == []
    steepest = 2 * np.pi * TONE_HZ / 24_000 * AMPLITUDE  # of the tone; a click is steeper
    assert np.abs(np.diff(result["heard"])).max() < 1.05 * steepest


@judges_time
async def test_a_late_piece_is_one_gap_of_the_expected_length(real_visit: OpenVisit) -> None:
    arrivals_ms = [0.0, 300.0, 1800.0, 1900.0]  # the first two sound until about 1,220 ms
    result = await play(real_visit, arrivals_ms)
    stats = result["stats"]
    assert stats["gaps"] == 1
    assert stats["gapMs"] == pytest.approx(1800 + 40 - 1220, abs=100)
    assert [name for name, _ in result["events"]] == ["start", "gap"]
    assert silences_ms(result["heard"]) == [pytest.approx(stats["gapMs"], abs=1)]
    assert result["playedMs"] == pytest.approx(len(arrivals_ms) * PIECE_MS)
    edges = [abs(b - a) for a, b in pairwise(result["heard"])]
    assert max(edges) < 0.06  # 5 ms fades: no click at the edges of the hole
