"""The recipe of the embedded model, from nothing to a checkpoint that the service answers from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.service.launch import PROJECT_ROOT
from tests.service.stack import Stack
from training.nano.all_stages import STAGES
from training.nano.evaluate_calls import line_to
from training.nano.speech import OWN_VOICE, synthesise
from training.nano.speech_packages import SpeechError

TINY = """
    text:batch=2 text:rows=16 text:held-out=1
    vision:batch=1 vision:rows=4 vision:text-rows=4 vision:held-out=1
    codec:recordings=4 codec:duration-s=2 codec:batch=2
    flow:recordings=4 flow:duration-s=2 flow:batch=2
    vocoder:recordings=4 vocoder:duration-s=2 vocoder:batch=2
    ear:batch=2 ear:rows=8 ear:held-out=2
    hearing:batch=1 hearing:rows=8 hearing:held-out=1
    duplex:batch=1 duplex:rows=2 duplex:held-out=1 duplex:length=1100
    tts:batch=1 tts:rows=4 tts:held-out=1
"""
HELLO = {"messages": [{"role": "user", "content": "hello"}], "generation": {"max_new_tokens": 8}}


@pytest.mark.slow
@pytest.mark.skipif("FULL_TESTS" not in os.environ, reason="takes minutes")
def test_all_stages_make_a_checkpoint_that_chats_and_answers_calls(
    stack: Stack, tmp_path: Path
) -> None:
    try:
        synthesise("hello", OWN_VOICE)
    except SpeechError as error:
        pytest.skip(str(error))
    folder = tmp_path / "nano"
    command = [sys.executable, "-m", "training.nano.all_stages", str(folder)]
    command += ["--stages", ",".join(STAGES), "--minutes", "3", "--processes", "1"]
    made = subprocess.run(
        [*command, "--set", *TINY.split()], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, check=True
    )
    reports = [json.loads(line) for line in made.stdout.splitlines()]
    assert len(reports) == len(STAGES)
    assert all(np.isfinite(report["losses"]).all() for report in reports)
    gateway = stack.start_gateway([stack.start_worker(model_path=folder)])
    answer = gateway.http.post("/api/chat", json=HELLO)
    assert answer.status_code == 200
    with line_to(gateway.url) as hear:
        assert all(hear(np.zeros(16000, np.float32)).is_listen for _ in range(3))
