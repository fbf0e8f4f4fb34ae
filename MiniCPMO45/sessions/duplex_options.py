"""How a full-duplex conversation decides, speaks and forgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WindowMode = Literal["auto", "off", "basic", "context"]


@dataclass(frozen=True)
class DuplexWindow:
    """What a call forgets when its context fills up.

    ``basic`` drops the oldest units above ``high`` cached tokens until at most ``low`` are left,
    and so does ``auto``. ``context`` keeps the last ``max_units`` and remembers up to
    ``previous_max`` tokens of what was said before them. Either drops more where the next unit
    would not fit. ``off`` drops nothing.
    """

    mode: WindowMode = "auto"
    high: int = 8000
    low: int = 6000
    max_units: int = 24
    previous_max: int = 500
    previous_marker: str = "\n\nprevious: "


@dataclass(frozen=True)
class DuplexOptions:
    """Settings of one conversation; the defaults are the published ones.

    Args:
        generate_audio: speak; otherwise only text is made.
        force_listen_count: this many first decisions are to listen.
        max_new_speak_tokens_per_chunk: choices per unit, the closing one included.
        do_sample, temperature, top_k, top_p: how text is drawn.
        text_repetition_penalty, text_repetition_window_size: divides the scores of recent tokens.
        length_penalty: above 1 makes ending a turn less likely.
        listen_prob_scale, listen_top_k: act on the end-of-message token, as published.
        tts_temperature: of the speech codes.
        listen_in_open_turn: ``continue`` keeps speaking when the model wants to listen before its
            turn is over; ``close`` ends the turn.
        penalize_control_tokens: the repetition penalty also weighs on listen, speak and turn end.
        penalize_cut_tokens: a token rejected by the character limit stays in the penalty history.
        speak_first_token: a word in place of the listen-or-speak decision is shown and spoken.
        speech_top_k, speech_top_p: filters of the speech codes; 0 and 1 are off.
        speech_penalty_across_units: the codes' penalty looks back into earlier units.
    """

    generate_audio: bool = True
    force_listen_count: int = 3
    max_new_speak_tokens_per_chunk: int = 20
    do_sample: bool = True
    temperature: float = 0.7
    top_k: int = 20
    top_p: float = 0.8
    text_repetition_penalty: float = 1.05
    text_repetition_window_size: int = 512
    length_penalty: float = 1.1
    listen_prob_scale: float = 1.0
    listen_top_k: int | None = None
    tts_temperature: float = 0.8
    listen_in_open_turn: Literal["continue", "close"] = "continue"
    penalize_control_tokens: bool = True
    penalize_cut_tokens: bool = True
    speak_first_token: bool = False
    speech_top_k: int = 0
    speech_top_p: float = 1.0
    speech_penalty_across_units: bool = False
    window: DuplexWindow = DuplexWindow()
