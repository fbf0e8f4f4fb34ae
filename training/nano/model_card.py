"""The model card: what the model is, what it learnt from, how good it is.

    python -m training.nano.model_card FOLDER EVALUATION...

Writes FOLDER/README.md from the lines that `evaluate.py` printed; where several hold the same part,
the last one counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

from training.nano.model import NAME, n_bytes, n_parameters
from training.nano.pictures import HELD_OUT_SEEDS
from training.nano.topics import SKILLS
from training.nano.voices import HELD_OUT_VOICES, VOICES

CARD_NAME = "README.md"


@dataclass(frozen=True)
class Goal:
    """One score, where it stands in an evaluation, and what it should be.

    Args:
        part: of the evaluation; a part of a part has a dot in it.
        limit: at least, or ``at_most``; None where nothing was asked for.
        unit: "%" shows a share of one as percent.
        of: key of how many it was measured on.
        shortfall: what to say plainly while the goal is not reached; may name ``{reached}``.
    """

    name: str
    part: str
    key: str
    limit: float | None = None
    unit: str = "%"
    at_most: bool = False
    of: str = "n"
    shortfall: str = ""

    def row(self, evaluation: Mapping[str, Any]) -> str:
        """A line of the table."""
        part = _part(evaluation, self.part)
        value = part.get(self.key)
        reached = "not measured" if value is None else self._shown(value)
        asked = "" if self.limit is None else self._shown(self.limit)
        if asked:
            asked = f"{'at most' if self.at_most else 'at least'} {asked}"
        verdict = {True: "yes", False: "no", None: ""}[self._is_reached(value)]
        cells = (self.name, reached, f"{part.get(self.of, '')}", asked, verdict)
        return f"| {' | '.join(cells)} |"

    def told_shortfall(self, evaluation: Mapping[str, Any]) -> str:
        """Empty where nothing was measured, or the goal is reached."""
        value = _part(evaluation, self.part).get(self.key)
        if value is None or self._is_reached(value):
            return ""
        return self.shortfall.format(reached=self._shown(value))

    def _is_reached(self, value: float | None) -> bool | None:
        if value is None or self.limit is None:
            return None
        return value <= self.limit if self.at_most else value >= self.limit

    def _shown(self, value: float) -> str:
        return f"{value * 100:.1f} %" if self.unit == "%" else f"{value:g} {self.unit}".strip()


GOALS = (
    Goal("Written questions, in held-out wordings", "text", "all", 0.95),
    Goal("Written questions by people who know no template", "blind", "all"),
    Goal(
        "Spoken questions, in held-out voices",
        "hearing",
        "all",
        0.85,
        shortfall="Only {reached} of spoken questions are answered as they should be, and fewer in "
        "calls. All voices that it has learnt from are synthetic; people may fare worse.",
    ),
    Goal(
        "Shapes and colours",
        "pictures",
        "all",
        0.95,
        shortfall="Only {reached} of questions about pictures are answered as they should be; the "
        "table of skills tells which.",
    ),
    Goal("Calls: answers that begin within 2 s", "calls", "answered_in_time", 0.9),
    Goal("Calls: answers that are right", "calls.answers", "all"),
    Goal(
        "Calls: false starts in a minute of silence or noise",
        "calls",
        "false_starts_per_minute",
        0.2,
        unit="",
        at_most=True,
        of="silent_minutes",
    ),
    Goal("Calls: falls silent when interrupted", "calls", "yields", of="interruptions"),
    Goal(
        "Own speech: words an independent recogniser gets wrong",
        "speech",
        "word_error_rate",
        0.2,
        at_most=True,
        shortfall="Of the words that it speaks {reached} are not understood; they are written "
        "beside it.",
    ),
    Goal(
        "A second of a call with pictures on two cores, 95th percentile",
        "speed",
        "omni_unit_p95_ms",
        250,
        unit="ms",
        at_most=True,
        of="units",
    ),
    Goal(
        "From the start of the service to its first answer",
        "speed",
        "start_to_ready_s",
        10,
        unit="s",
        at_most=True,
    ),
)

SKILL_PARTS = {"text": "written", "hearing": "spoken", "pictures": "pictures"}

CARD = """\
# {name}

A toy with the architecture and the file layout of MiniCPM-o 4.5 and {millions:.1f} million
parameters, {megabytes:.1f} MB in all. It reads, listens, looks and speaks in real time on two cores
of an ordinary processor, in English and a little Chinese, so that every part of the service can be
tried where there are neither a GPU nor the published weights. Its answers come from these weights
alone, drawn by the sampler that serves the large model.

It is no assistant. It knows {n_skills} small skills: greetings, names, feelings, arithmetic to 20,
counting, days, opposites, animals, colours and shapes in pictures, repeating, what was said before,
and to say that it does not know the rest. For real answers, set `model.model_path` to the published
weights.
{shortfalls}
## Scores

Through the public interface, on wordings, voices and picture seeds that training never met; an
answer counts when it is the expected one or as good.

| What | Reached | Of | Goal | |
| --- | --- | --- | --- | --- |
{scores}

{skills}
## Limits

- What it was not taught it refuses, or gets wrong; it has no knowledge of the world.
- It knows a few hundred words. A word it never met is often mistaken for another.
- Its users spoke with synthetic voices. Real ones, strong accents and loud places are harder.
- Pictures are drawn ones: up to three plain shapes on a plain background, as a camera may see them.
- It speaks in one English voice, whatever voice it is given; its Chinese is spoken with that
  voice's sounds.
- A conversation longer than a few minutes may confuse it.

## Data

All of it is synthetic and made from seeds by `training/nano`.

| Data | From | Licence |
| --- | --- | --- |
| conversations | templates and grammars in `training/nano/topics` | that of this project |
| pictures | drawn with Pillow; {n_held_out} seeds are held out | that of this project |
| {n_flite} voices | flite, of Carnegie Mellon University | BSD-like; what they say is free |
| {n_espeak} voices | eSpeak NG | GPL-3.0-or-later; what they say is free |
| noises and rooms | computed | that of this project |

{n_held_out_voices} other voices speak in the tests alone. Nothing was learnt from the recogniser,
`moonshine-voice` (MIT), nor from the published weights or recordings of people.

## How to make it again

`training/nano/README.md` names the commands of all stages, and how long each of them learnt for
these weights. The scores come from

    python training/nano/evaluate.py{quick}

and this page from `python -m training.nano.model_card`.

## Licence

Apache 2.0, as the project.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the card; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.nano.model_card")
    parser.add_argument("folder", type=Path, help="the checkpoint")
    parser.add_argument("evaluations", type=Path, nargs="+", help="files of evaluate.py's lines")
    options = parser.parse_args(arguments)
    text = model_card(options.folder, evaluation_of(options.evaluations))
    (options.folder / CARD_NAME).write_text(text, encoding="utf-8")
    return 0


def evaluation_of(files: Iterable[Path]) -> dict[str, Any]:
    """The parts of several evaluations together."""
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    parts: dict[str, Any] = {}
    for line in filter(None, lines):
        parts |= json.loads(line)
    return parts


def model_card(folder: Path, evaluation: Mapping[str, Any]) -> str:
    """The text of the card."""
    n_flite = sum(voice.engine == "flite" for voice in VOICES)
    return CARD.format(
        name=NAME,
        millions=sum(n_parameters(folder).values()) / 1e6,
        megabytes=n_bytes(folder) / 1e6,
        n_skills=len(SKILLS),
        shortfalls=_shortfalls(evaluation),
        scores="\n".join(goal.row(evaluation) for goal in GOALS),
        skills=_skills_table(evaluation),
        n_held_out=len(HELD_OUT_SEEDS),
        n_flite=n_flite,
        n_espeak=len(VOICES) - n_flite,
        n_held_out_voices=len(HELD_OUT_VOICES),
        quick=" --quick" if evaluation.get("quick") else "",
    )


def _part(evaluation: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Empty where it was not measured."""
    for key in name.split("."):
        evaluation = evaluation.get(key, {})
    return evaluation


def _shortfalls(evaluation: Mapping[str, Any]) -> str:
    """A section of what it cannot do well yet; empty where every goal is reached."""
    told = filter(None, (goal.told_shortfall(evaluation) for goal in GOALS))
    lines = [fill(f"- {text}", 100, subsequent_indent="  ") for text in told]
    if not lines:
        return ""
    return "\n## What it cannot do yet\n\n" + "\n".join(lines) + "\n"


def _skills_table(evaluation: Mapping[str, Any]) -> str:
    """Shares by skill, one column a part; empty where no part was measured."""
    parts = {name: evaluation[part]["skills"] for part, name in SKILL_PARTS.items()
             if part in evaluation}  # fmt: skip
    if not parts:
        return ""
    lines = [f"| Skill | {' | '.join(parts)} |", f"| --- {'| --- ' * len(parts)}|"]
    for skill in sorted({skill for shares in parts.values() for skill in shares}):
        shares = (part.get(skill) for part in parts.values())
        cells = ("" if share is None else f"{share * 100:.0f} %" for share in shares)
        lines.append(f"| {skill} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
