"""Stage: the speech tokenizer and the speaker encoder learn what is needed to say it again.

    python -m training.nano.train_speech_codec --out FOLDER --steps 5000

Starts from FOLDER/speech-codec.safetensors where that exists, and writes it again with the two
graphs of a token2wav folder beside it. Prints one JSON line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.token2wav.options import SILENCE_CODE
from MiniCPMO45.token2wav.prompt import SPEAKER_ENCODER, SPEECH_TOKENIZER
from training.nano.codec_graphs import speaker_graph, tokenizer_graph
from training.nano.optimisation import Optimisation, progress, report
from training.nano.packing import passes
from training.nano.phones import SILENCE
from training.nano.recordings import FEATURES_PER_CODE, FRAMES_PER_CODE, Recordings
from training.nano.speech_codec import N_DIGITS, Reading, SpeechCodec, digits_of
from training.nano.speech_stage import SpeechStage

STAGE = "speech-codec"
CODEC_FILE = f"{STAGE}.safetensors"
CROP_CODES = 100
QUIETEST_MEL = -11.0  # the loudest band of a silent frame
SILENCE_WEIGHT = 0.5
PHONES_WEIGHT = 0.3


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    stage = SpeechStage("train_speech_codec", steps=5000, batch=64, rate=1e-3)
    options = stage.parse(arguments)
    torch.manual_seed(options.seed)
    learnt, held_out = stage.recordings(options)
    device = torch.device(options.device)
    is_new = not (options.out / CODEC_FILE).exists()
    codec = (SpeechCodec() if is_new else load_codec(options.out)).to(device)
    batches = passes(len(learnt), options.batch, options.seed)

    def next_loss() -> Tensor:
        return codec_loss(codec, learnt, next(batches).to(device))

    optimisation = Optimisation.of(options, codec, weight_decay=0.01)
    for step in optimisation.run(next_loss):
        if options.save_every and step and step % options.save_every == 0:
            save_codec(codec, options.out)
    files = save_codec(codec, options.out)
    report(
        stage=STAGE,
        **progress(options, optimisation),
        **_held_out_scores(codec.eval(), held_out),
        files=[path.name for path in files],
    )
    return 0


def codec_loss(codec: SpeechCodec, recordings: Recordings, index: Tensor) -> Tensor:
    """How far mel frames come back from the truth, phones from those that were said, and silence
    from its code."""
    n_codes = min(CROP_CODES, recordings.n_codes)
    first = int(torch.randint(recordings.n_codes - n_codes + 1, ()))
    features = recordings.features[index, :, _span(first, n_codes, FEATURES_PER_CODE)]
    frames = _span(first, n_codes, FRAMES_PER_CODE)
    mel, phones = recordings.mel[index, frames].float(), recordings.phones[index, frames].long()
    found: Reading = codec(features.float(), recordings.banks[index].float())
    mel_loss = functional.l1_loss(found.mel.float(), mel)
    phones_loss = functional.cross_entropy(found.phones.float(), phones)
    silence_loss = _silence_loss(found.values.float(), mel)
    return mel_loss + PHONES_WEIGHT * phones_loss + SILENCE_WEIGHT * silence_loss


def load_codec(folder: Path) -> SpeechCodec:
    """The codec of an earlier run.

    Raises:
        FileNotFoundError: there is none.
    """
    codec = SpeechCodec()
    codec.load_state_dict(load_file(folder / CODEC_FILE))
    return codec


def save_codec(codec: SpeechCodec, folder: Path) -> list[Path]:
    """Write the weights and the graphs."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().float().cpu() for name, tensor in codec.state_dict().items()}
    save_file(state, folder / CODEC_FILE)
    (folder / SPEECH_TOKENIZER).write_bytes(tokenizer_graph(codec.tokenizer))
    (folder / SPEAKER_ENCODER).write_bytes(speaker_graph(codec.speaker))
    return [folder / name for name in (CODEC_FILE, SPEECH_TOKENIZER, SPEAKER_ENCODER)]


def _silence_loss(values: Tensor, mel: Tensor) -> Tensor:
    """Distance of the values ``[B, 8, T]`` of silent codes from the digits of silence."""
    loudest = mel.amax(dim=2).unflatten(1, (-1, FRAMES_PER_CODE)).amax(dim=2)  # [B, T]
    silent = (loudest < QUIETEST_MEL).float()[:, None]
    wanted = digits_of(torch.tensor(SILENCE_CODE, device=values.device))[:, None]
    distance = (values - wanted).square() * silent
    return distance.sum() / (silent.sum() * values.shape[1]).clamp(min=1)


@torch.no_grad()
def _held_out_scores(codec: SpeechCodec, recordings: Recordings) -> dict[str, float]:
    features, mel = recordings.features.float(), recordings.mel.float()
    found: Reading = codec(features, recordings.banks.float())
    said = recordings.phones != SILENCE
    right = found.phones.argmax(dim=1)[said] == recordings.phones[said]
    codes = codec.tokenizer.codes(features)
    used = torch.bincount(codes.flatten(), minlength=3**N_DIGITS).float()
    shares = used[used > 0] / used.sum()
    return {
        "held_out_mel_distance": round(float(functional.l1_loss(found.mel, mel)), 4),
        "phones_right": round(float(right.float().mean()), 4),
        "codes_used": int((used > 0).sum()),
        "bits_a_code": round(float(-(shares * shares.log2()).sum()), 2),
        "silence_share": round(float((codes == SILENCE_CODE).float().mean()), 4),
    }


def _span(first: int, count: int, rate: int) -> slice:
    return slice(rate * first, rate * (first + count))


if __name__ == "__main__":
    sys.exit(main())
