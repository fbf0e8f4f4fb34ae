"""Stage: the vocoder learns to make sound of mel frames.

    python -m training.nano.train_vocoder --out FOLDER --steps 12000

Goes on from FOLDER/hift.pt where that exists. Prints one JSON line.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.spectra import MEL_HOP
from training.nano.optimisation import Optimisation, progress, report
from training.nano.packing import passes
from training.nano.recordings import Recordings
from training.nano.speech_stage import SpeechStage
from training.nano.token2wav import HIFT_FILE, load_module, new_hift, save_module

STAGE = "vocoder"
CROP_FRAMES = 48
WINDOWS = (128, 256, 512, 1024, 2048)  # of the transforms by which sounds are compared
PITCH_SCALE_HZ = 100.0
_QUIETEST = 1e-4


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    stage = SpeechStage("train_vocoder", steps=12_000, batch=48, rate=8e-4)
    options = stage.parse(arguments)
    learnt, held_out = stage.recordings(options)
    torch.manual_seed(options.seed)
    device = torch.device(options.device)
    torch.backends.cudnn.benchmark = True  # all crops are of one size
    hift = new_hift()
    load_module(hift, options.out, HIFT_FILE)
    hift.to(device).prepare()
    batches = passes(len(learnt), options.batch, options.seed)

    def next_loss() -> Tensor:
        return vocoder_loss(hift, learnt, next(batches).to(device))

    optimisation = Optimisation.of(options, hift, weight_decay=0.01)
    for step in optimisation.run(next_loss):
        if options.save_every and step and step % options.save_every == 0:
            save_module(hift, options.out, HIFT_FILE)
    path = save_module(hift, options.out, HIFT_FILE)
    with torch.no_grad():
        everything = torch.arange(len(held_out), device=device)
        held_out_loss = sum(float(vocoder_loss(hift, held_out, everything)) for _ in range(8)) / 8
    report(
        stage=STAGE,
        **progress(options, optimisation),
        held_out_loss=round(held_out_loss, 4),
        files=[path.name],
    )
    return 0


def vocoder_loss(hift: HiFT, recordings: Recordings, index: Tensor) -> Tensor:
    """Distance of the sound from the recorded one, and of the pitch.

    The excitation has the recording's pitch: what the predictor still gets wrong would only teach
    the rest of the network to ignore it. All of it needs full precision.
    """
    first = int(torch.randint(2 * recordings.n_codes - CROP_FRAMES + 1, ()))
    frames = slice(first, first + CROP_FRAMES)
    samples = slice(MEL_HOP * first, MEL_HOP * (first + CROP_FRAMES))
    sound = recordings.sound[index, samples].float() / 32767
    mel = recordings.mel[index, frames].float().transpose(1, 2)
    pitch = recordings.pitch[index, frames].float()
    with torch.autocast(mel.device.type, enabled=False):
        noise = torch.randn(*sound.shape, hift.m_source.n_sines, device=mel.device)
        rendered = hift.decode(mel, hift.m_source(pitch, noise))
        pitch_loss = functional.l1_loss(hift.f0_predictor(mel), pitch) / PITCH_SCALE_HZ
        return spectral_distance(rendered, sound) + pitch_loss


def spectral_distance(rendered: Tensor, sound: Tensor) -> Tensor:
    """How different two sounds ``[B, n]`` are to the ear: magnitudes and their logarithms, seen
    through windows of several sizes (https://arxiv.org/abs/1910.11480)."""
    total = rendered.new_zeros(())
    for size in WINDOWS:
        found, wanted = (_magnitudes(each, size) for each in (rendered, sound))
        relative = (found - wanted).norm() / wanted.norm().clamp(min=_QUIETEST)
        total = total + relative + functional.l1_loss(found.log(), wanted.log())
    return total / len(WINDOWS)


def _magnitudes(sound: Tensor, size: int) -> Tensor:
    window = torch.hann_window(size, device=sound.device)
    spectrum = torch.stft(sound, size, size // 4, window=window, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    return power.clamp(min=_QUIETEST**2).sqrt()  # the root has no gradient at zero


if __name__ == "__main__":
    sys.exit(main())
