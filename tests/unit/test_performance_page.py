"""The numbers of the performance guide that follow from shapes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.gpu_shapes import session_gb

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def test_the_table_of_what_a_session_takes_is_computed_from_shapes() -> None:
    sizes = session_gb()
    keys, hearing = sizes["keys_and_values"], sizes["speech_and_ear"]
    parts = ("vocoder_weights", "vocoder_workspace", "voice_and_stream")
    vocoder = " / ".join(f"{sizes[part]:.2f}" for part in parts)
    rows = [
        f"| weights of the model | {sizes['weights']:.1f} | {sizes['weights_int8']:.1f} |",
        f"| keys and values of 12,320 positions | {keys:.1f} | {keys:.1f} |",
        f"| the same of speech and of the ear | {hearing:.1f} | {hearing:.1f} |",
        f"a voice of five seconds and a stream in it | {vocoder} | {vocoder} |",
    ]
    page = PAGE.read_text()
    assert [row for row in rows if row not in page] == []
