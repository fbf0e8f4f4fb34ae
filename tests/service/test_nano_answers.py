"""What a newcomer without a GPU and without weights sees: the trained toy answers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config import NANO_MODEL_PATH, embedded_model_path
from gateway_modules.examples import read_examples
from tests.service.stack import GatewayProcess, Stack
from training.nano.speakers import read_wave

NANO = "minicpm-o-nano"
TWO_PLUS_THREE = Path(__file__).parent / "data" / "what_is_two_plus_three.wav"
"""Said by flite's voice `rms`, which training never hears."""
WORDS_IN_ANSWERS = {
    "Hello!": "hello",
    "What is two plus three?": "five",
    "Count from one to five.": "one, two, three, four, five",
    "What is the opposite of hot?": "cold",
    "What does the cow say?": "moo",
    "What day comes after Friday?": "saturday",
    "How many legs does a spider have?": "eight",
    "What can you do?": "colors",
    "你好，你叫什么名字？": "纳诺",
    "二加三等于几？": "五",
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with Stack(tmp_path_factory.mktemp("nano")) as stack:
        yield stack.start_gateway([stack.start_worker(model_path=embedded_model_path())])


def answer(
    gateway: GatewayProcess, question: str | list[dict[str, str]], *, aloud: bool = False
) -> dict[str, Any]:
    request = {
        "messages": [{"role": "user", "content": question}],
        "generation": {"do_sample": False},
        "tts": {"enabled": aloud},
        "record": False,
    }
    return gateway.http.post("/api/chat", json=request).json()


def test_the_toy_is_what_is_served_and_says_so(gateway: GatewayProcess) -> None:
    assert embedded_model_path() == NANO_MODEL_PATH
    status = gateway.status()
    assert (status["model_name"], status["embedded_model"]) == (NANO, True)


def test_every_example_that_the_chat_page_offers_is_answered_well(gateway: GatewayProcess) -> None:
    assert read_examples()[NANO]["turnbased"] == [*WORDS_IN_ANSWERS]
    answers = {text: answer(gateway, text)["text"] for text in WORDS_IN_ANSWERS}
    wrong = {
        text: said for text, said in answers.items() if WORDS_IN_ANSWERS[text] not in said.lower()
    }
    assert not wrong


def test_an_answer_is_spoken_too(gateway: GatewayProcess) -> None:
    assert answer(gateway, "what is two plus three", aloud=True)["audio_data"]


def test_a_question_that_is_said_is_answered(gateway: GatewayProcess) -> None:
    sound = base64.b64encode(read_wave(TWO_PLUS_THREE).tobytes()).decode()
    assert "five" in answer(gateway, [{"type": "audio", "data": sound}])["text"].lower()
