"""Speech codes to sound: conformer, flow matching, vocoder."""

from MiniCPMO45.token2wav.model import Token2Wav
from MiniCPMO45.token2wav.noise import SeededExcitation
from MiniCPMO45.token2wav.options import Token2WavOptions
from MiniCPMO45.token2wav.stream import VocoderStream
from MiniCPMO45.token2wav.voice import Voice, VoicePrompt, content_key

__all__ = [
    "SeededExcitation",
    "Token2Wav",
    "Token2WavOptions",
    "VocoderStream",
    "Voice",
    "VoicePrompt",
    "content_key",
]
