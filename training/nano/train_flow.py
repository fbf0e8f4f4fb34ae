"""Stage: the flow learns to make mel frames of codes, in the voice of what came before.

    python -m training.nano.train_flow --out FOLDER --steps 12000

Needs the two graphs of the speech codec, an earlier stage, in FOLDER. Goes on from FOLDER/flow.pt
where that exists.
Prints one JSON line.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.token2wav.loading import FLOW_FILE
from training.nano.flow_forward import FlowBatch, flow_loss
from training.nano.listening import Listener
from training.nano.optimisation import Optimisation, half_precision, progress, report
from training.nano.packing import passes
from training.nano.recordings import Recordings
from training.nano.speech_stage import SpeechStage
from training.nano.token2wav import load_module, new_flow, save_module

STAGE = "flow"
SHORTEST_PROMPT, LONGEST_PROMPT = 0.1, 0.6  # of a recording


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
    codes, speakers = heard(listener, learnt, options.processes)
    batches = passes(len(learnt), options.batch, options.seed)

    def next_loss() -> Tensor:
        index = next(batches).to(device)
        return flow_loss(flow, _batch(learnt, codes, speakers, index, some_prompt(learnt.n_codes)))

    optimisation = Optimisation.of(options, flow, weight_decay=0.01)
    for step in optimisation.run(next_loss):
        if options.save_every and step and step % options.save_every == 0:
            save_module(flow, options.out, FLOW_FILE)
    path = save_module(flow, options.out, FLOW_FILE)
    with torch.no_grad(), half_precision(device):
        everything = torch.arange(len(held_out), device=device)
        prompt = round(LONGEST_PROMPT * held_out.n_codes)
        tested = heard(listener, held_out, options.processes)
        batch = _batch(held_out, *tested, everything, prompt)
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


def heard(listener: Listener, recordings: Recordings, n_threads: int) -> tuple[Tensor, Tensor]:
    """Codes ``[n, T]`` and speakers ``[n, 192]`` of all recordings, where these are."""
    with ThreadPoolExecutor(n_threads) as pool:
        codes = list(pool.map(listener.codes, recordings.features.cpu().float().numpy()))
        speakers = list(pool.map(listener.speaker, recordings.banks.cpu().float().numpy()))
    device = recordings.mel.device
    return torch.tensor(codes, device=device), torch.from_numpy(np.stack(speakers)).to(device)


def _batch(
    recordings: Recordings, codes: Tensor, speakers: Tensor, index: Tensor, n_prompt: int
) -> FlowBatch:
    return FlowBatch(codes[index], recordings.mel[index].float(), speakers[index], n_prompt)


if __name__ == "__main__":
    sys.exit(main())
