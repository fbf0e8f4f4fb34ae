"""Stage: the flow learns to make mel frames of codes, in the voice of what came before.

    python -m training.nano.train_flow --out FOLDER --steps 12000

Needs the two graphs of the speech codec, an earlier stage, in FOLDER. Goes on from FOLDER/flow.pt
where that exists.
Prints one JSON line.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.mel import SAMPLE_RATE
from MiniCPMO45.token2wav.loading import FLOW_FILE
from MiniCPMO45.token2wav.resampling import resample
from MiniCPMO45.token2wav.spectra import MEL_RATE
from training.nano.flow_forward import FlowBatch, flow_loss
from training.nano.listening import Listener
from training.nano.optimisation import Optimisation, half_precision, progress, report
from training.nano.packing import passes
from training.nano.recordings import (
    CODES_PER_SECOND,
    FRAMES_PER_CODE,
    Recordings,
    read_recording,
    stacked,
)
from training.nano.speakers import shipped_voices
from training.nano.speech_stage import SpeechStage
from training.nano.token2wav import load_module, new_flow, save_module

STAGE = "flow"
SHORTEST_PROMPT, LONGEST_PROMPT = 0.1, 0.6  # of a recording
SHIPPED_SHARE = 0.5  # of those in the model's own voice: behind a voice that users may choose


@dataclass(frozen=True)
class Coded:
    """Recordings with their codes ``[n, T]`` and speakers ``[n, 192]``."""

    recordings: Recordings
    codes: Tensor
    speakers: Tensor

    @classmethod
    def by(cls, listener: Listener, recordings: Recordings, n_threads: int) -> Coded:
        """As the graphs of a token2wav folder hear them."""
        with ThreadPoolExecutor(n_threads) as pool:
            codes = list(pool.map(listener.codes, recordings.features.cpu().float().numpy()))
            speakers = list(pool.map(listener.speaker, recordings.banks.cpu().float().numpy()))
        device = recordings.mel.device
        embeddings = torch.from_numpy(np.stack(speakers))
        return cls(recordings, torch.tensor(codes, device=device), embeddings.to(device))

    def batch(self, index: Tensor, n_prompt: int) -> FlowBatch:
        """Some of them, whose first codes tell the voice."""
        mel = self.recordings.mel[index].float()
        return FlowBatch(self.codes[index], mel, self.speakers[index], n_prompt)


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    stage = SpeechStage("train_flow", steps=12_000, batch=32, rate=1e-3)
    options = stage.parse(arguments)
    learnt, held_out = stage.recordings(options)
    torch.manual_seed(options.seed)
    device = torch.device(options.device)
    listener = Listener(options.out)
    flow = new_flow()
    load_module(flow, options.out, FLOW_FILE)
    flow.to(device)
    coded = Coded.by(listener, learnt, options.processes)
    shipped = Coded.by(listener, shipped_recordings().to(device), options.processes)
    batches = passes(len(learnt), options.batch, options.seed)

    def next_loss() -> Tensor:
        index = next(batches).to(device)
        batch = coded.batch(index, some_prompt(learnt.n_codes))
        return flow_loss(flow, behind_shipped_voices(batch, learnt.own[index], shipped))

    optimisation = Optimisation.of(options, flow, weight_decay=0.01)
    for step in optimisation.run(next_loss):
        if options.save_every and step and step % options.save_every == 0:
            save_module(flow, options.out, FLOW_FILE)
    path = save_module(flow, options.out, FLOW_FILE)
    with torch.no_grad(), half_precision(device):
        everything = torch.arange(len(held_out), device=device)
        prompt = round(LONGEST_PROMPT * held_out.n_codes)
        batch = Coded.by(listener, held_out, options.processes).batch(everything, prompt)
        held_out_loss = sum(float(flow_loss(flow, batch)) for _ in range(8)) / 8
    report(
        stage=STAGE,
        **progress(options, optimisation),
        held_out_loss=round(held_out_loss, 4),
        files=[path.name],
    )
    return 0


def some_prompt(n_codes: int) -> int:
    """A prompt's length in codes, from one that is hardly enough to most of a recording."""
    share = SHORTEST_PROMPT + (LONGEST_PROMPT - SHORTEST_PROMPT) * float(torch.rand(()))
    return max(1, round(share * n_codes))


def shipped_recordings() -> Recordings:
    """The beginnings of the voices that come with the service, all of one length."""
    sounds = [
        resample(torch.from_numpy(voice), SAMPLE_RATE, MEL_RATE).numpy()
        for voice in shipped_voices()
    ]
    samples_per_code = MEL_RATE // CODES_PER_SECOND
    n_samples = min(sound.size for sound in sounds) // samples_per_code * samples_per_code
    return stacked([read_recording(sound[:n_samples]) for sound in sounds])


def behind_shipped_voices(batch: FlowBatch, own: Tensor, shipped: Coded) -> FlowBatch:
    """Let some rows in the model's own voice, as ``own`` ``[B]`` tells, stand behind a shipped one.

    The model has no sound of these people but a few seconds. What it says behind them sounds like
    itself, where it would sound like nothing that it knows.
    """
    n_rows, n_known = len(own), FRAMES_PER_CODE * batch.n_prompt
    taken = own & (torch.rand(n_rows, device=own.device) < SHIPPED_SHARE)
    which = torch.randint(len(shipped.recordings), (n_rows,), device=own.device)
    codes, mel = batch.codes.clone(), batch.mel.clone()
    codes[taken, : batch.n_prompt] = shipped.codes[which[taken], : batch.n_prompt]
    mel[taken, :n_known] = shipped.recordings.mel[which[taken], :n_known].float()
    speaker = torch.where(taken[:, None], shipped.speakers[which], batch.speaker)
    return FlowBatch(codes, mel, speaker, batch.n_prompt)


if __name__ == "__main__":
    sys.exit(main())
