"""Hello, thanks, goodbye, and the little words between."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick

_HELLO = Phrasings(
    """
    hello
    hi
    hey
    [hello|hi|hey] there
    [hello|hi|hey], [nano|computer|my friend|friend|you|everybody]
    [hello|hi|hey] [again|nano|everyone]
    good [morning|afternoon|day]
    good [morning|afternoon|evening], [nano|computer|everyone]
    [hello|hi], [is anybody|anyone] [there|home]?
    [hello|hi], can you hear me?
    [hello|hi], are you [there|awake|listening]?
    [hello|hi], [nice|good|great] to [see|meet] you
    greetings
    [hello|hi], [I am here|here I am|it is me]
    [well|oh], [hello|hi] there
    """,
    """
    [hello|hi] to you
    a [very|] good [morning|afternoon] to you
    [hi|hello] [dear|little] [model|robot]
    good evening
    hey, [anybody|anyone] around?
    """,
)
_HELLO_ANSWERS = """
    Hello! How can I help you?
    Hello! Nice to meet you.
    Hi! It is good to hear from you.
    Hello there! What can I do for you?
"""

_THANKS = Phrasings(
    """
    [thanks|thank you]
    [thanks|thank you] [very much|so much|a lot]
    [thanks|thank you] for [your help|the answer|that|everything|helping me]
    [many|] thanks, nano
    [great|good|nice|perfect|wonderful], [thanks|thank you]
    that [was|is] [very|so|] [helpful|kind|nice], [thanks|thank you]
    [well done|good job|good work], [thanks|thank you]
    thank you, [that is all|nano|computer|my friend]
    """,
    """
    [thanks|thank you] [kindly|a million]
    I [want|would like] to thank you
    [okay|all right], [thanks|thank you] for [telling me|your time]
    """,
)
_THANKS_ANSWERS = """
    You are welcome!
    You are welcome. I am happy to help.
    You are very welcome!
"""

_BYE = Phrasings(
    """
    [bye|goodbye]
    bye bye
    [bye|goodbye], [nano|computer|my friend|for now]
    good night
    good night, nano
    see you [later|soon|tomorrow|next time]
    [I have to|I must|I need to] [go|leave] now
    I am [leaving|going] now, [bye|goodbye]
    [okay|all right|well], [bye|goodbye]
    that is all [for today|for now], [bye|goodbye]
    [talk to you|catch you|see you] later, nano
    it is time to say goodbye
    """,
    """
    [so long|farewell]
    see you [around|again some day]
    I am [off|done] [for today|now], [bye|goodbye]
    have a [good|nice] day, goodbye
    """,
)
_BYE_ANSWERS = """
    Goodbye! Have a nice day.
    Goodbye! See you soon.
    Bye! It was nice talking to you.
"""

_PRAISE = Phrasings(
    """
    you are [very|so|really|] [smart|clever|nice|kind|cute|funny|good|great]
    [I like|I love] you
    [well done|good job|good work|very good|excellent]
    that [is|was] [right|correct|good|great|very good|perfect]
    [wow|oh], you are [good|smart|clever]
    you did [that|it|this] very well
    """,
    """
    what a [smart|clever|nice] [model|answer]
    you [really|] are a [nice|clever|great] [model|friend]
    [bravo|good answer]
    """,
)
_PRAISE_ANSWERS = """
    Thank you! That is very kind.
    Thank you! I do my best.
"""

_AGREE = Phrasings(
    """
    [ok|okay|fine|good|all right|I see|yes|sure|right]
    [ok|okay], [good|fine|I see|got it|cool]
    [I see|I understand|got it|makes sense]
    [yes|no], [that is fine|all good|nothing else|nothing]
    """,
    """
    [ok|okay], [very well|understood]
    [fine|good], [I see|let us go on]
    """,
)
_AGREE_ANSWERS = """
    Good. What else can I do for you?
    All right. Ask me something else.
"""

_JOKE = Phrasings(
    """
    tell me a joke
    [please|] tell [me|us] [a|another|some|one] [funny|good|short|] [joke|jokes], [please|nano]
    do you know [a|any] [joke|good joke|jokes]?
    [make me laugh|say something funny|be funny]
    [can|could] you tell [me|us] a [funny|] joke?
    """,
    """
    I [want|would like] to hear a joke
    [got|have you got] [a joke|any jokes] for me?
    """,
)
_JOKE_ANSWERS = """
    Why did the circle go home? It was tired of going round and round.
"""


def _reaction(questions: Phrasings, answers: str, *required: str) -> Maker:
    def make(rng: Random, split: Split) -> list[Exchange]:
        return [Exchange(questions.say(rng, split), pick(rng, answers), required)]

    return make


SKILLS: dict[str, Maker] = {
    "greeting": _reaction(_HELLO, _HELLO_ANSWERS, "hello|hi"),
    "thanks": _reaction(_THANKS, _THANKS_ANSWERS, "welcome"),
    "goodbye": _reaction(_BYE, _BYE_ANSWERS, "goodbye|bye"),
    "praise": _reaction(_PRAISE, _PRAISE_ANSWERS, "thank you"),
    "agreement": _reaction(_AGREE, _AGREE_ANSWERS, "good|all right"),
    "joke": _reaction(_JOKE, _JOKE_ANSWERS, "circle"),
}
