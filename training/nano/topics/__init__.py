"""What the model can talk about, a topic a file: functions that make the exchanges of a skill."""

from training.nano.exchange import Maker
from training.nano.topics import (
    animals,
    calendar,
    chinese,
    chinese_talk,
    feelings,
    itself,
    knowledge,
    memory,
    names,
    numbers,
    opposites,
    refusals,
    small_talk,
)

SKILLS: dict[str, Maker] = {
    **small_talk.SKILLS,
    **names.SKILLS,
    **feelings.SKILLS,
    **itself.SKILLS,
    **numbers.SKILLS,
    **knowledge.SKILLS,
    **calendar.SKILLS,
    **opposites.SKILLS,
    **animals.SKILLS,
    **memory.SKILLS,
    **refusals.SKILLS,
    **chinese_talk.SKILLS,
    **chinese.SKILLS,
}
