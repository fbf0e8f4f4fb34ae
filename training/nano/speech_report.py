"""How well the voices are understood, and the model's own sound of what they said.

    python -m training.nano.speech_report FOLDER

FOLDER is a token2wav folder. Sentences of the evaluation are spoken in the model's own voice,
listened to by the speech tokenizer and rendered again in the stream that the service uses; an
independent recogniser writes both down. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

from MiniCPMO45.token2wav import Token2Wav
from MiniCPMO45.token2wav.prompt import PromptEncoder
from MiniCPMO45.token2wav.spectra import MEL_RATE
from MiniCPMO45.token2wav.stream import VocoderStream
from training.nano.evaluate_speech import spoken_dialogues
from training.nano.optimisation import report
from training.nano.recogniser import Recogniser, word_error_rate
from training.nano.saying import as_said
from training.nano.speech import HELD_OUT_VOICES, OWN_VOICE, VOICES, Voice, Waveform, synthesise

CHUNK_CODES, LOOKAHEAD_CODES = 25, 3
PROMPT = "Hello, it is nice to meet you. Let us talk about numbers, colors and animals."


def main(arguments: list[str] | None = None) -> int:
    """Measure; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.nano.speech_report")
    parser.add_argument("folder", type=Path, help="token2wav folder")
    parser.add_argument("--sentences", type=int, default=60)
    parser.add_argument("--voices", action="store_true", help="measure all voices, too")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    sentences = [dialogue.exchanges[-1].answer for dialogue in spoken_dialogues(options.sentences)]
    recogniser = Recogniser()

    def error_rate(voice: Voice) -> float:
        said = ((each, synthesise(as_said(each), voice)) for each in sentences)
        return round(word_error_rate((text, recogniser.hear(sound)) for text, sound in said), 3)

    token2wav = Token2Wav.load(options.folder)
    listener = PromptEncoder(options.folder, token2wav.synthesizer.flow.config)
    voice = token2wav.prepare_voice(synthesise(PROMPT, OWN_VOICE, None, MEL_RATE), MEL_RATE)
    pairs, busy_s, sounding_s = [], 0.0, 0.0
    for sentence in sentences:
        spoken = synthesise(as_said(sentence), OWN_VOICE, None, MEL_RATE)
        codes = listener.encode(spoken, MEL_RATE).tokens[0].tolist()
        started_s = time.process_time()
        sound = rendered(token2wav.stream(voice), codes)
        busy_s += time.process_time() - started_s
        sounding_s += sound.size / MEL_RATE
        pairs.append((sentence, recogniser.hear(sound, MEL_RATE)))
    voices = (*VOICES, *HELD_OUT_VOICES) if options.voices else (OWN_VOICE,)
    report(
        own_error_rate=round(word_error_rate(pairs), 3),
        real_time_factor=round(busy_s / sounding_s, 3),
        voice_error_rates={voice.name: error_rate(voice) for voice in voices},
        sentences=len(sentences),
    )
    return 0


def rendered(stream: VocoderStream, codes: list[int]) -> Waveform:
    """The sound of codes in the chunks that the service renders."""
    window = CHUNK_CODES + LOOKAHEAD_CODES
    pieces = []
    while len(codes) >= window:
        pieces.append(stream.push(codes[:window], last=False))
        codes = codes[CHUNK_CODES:]
    pieces.append(stream.push(codes, last=True))
    return np.concatenate([piece.numpy() for piece in pieces])


if __name__ == "__main__":
    sys.exit(main())
