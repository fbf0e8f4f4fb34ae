"""Names: the user's, told and asked for later."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, normalised, pick
from training.nano.words import a_name

_TELL = Phrasings(
    """
    my name is {name}
    [hello|hi|hey], my name is {name}
    I am [called|named] {name}
    [hello|hi|hey], I am {name}
    I am {name}
    [you can|please|] call me {name}
    [people|my friends|they] call me {name}
    [hello|hi], I am {name}, [nice to meet you|and who are you|how are you]?
    this is {name} [speaking|]
    the name is {name}
    [let me introduce myself|nice to meet you], I am {name}
    [everybody|everyone|all my friends] [call|name|know] me [as|] {name}
    [my mother|my family|most people] [call|name|know] me [as|] {name}
    [everybody|everyone|my mother|nobody but you] [says|knows|named me|names me] {name}
    [I go|I am known|they know me] [as|under the name] {name}
    you [may|should|could] call me {name}
    [my|the] [first name|given name|full name|nickname] is {name}
    {name} is [what they call me|what people call me|how I am called|who I am|the name]
    [hello|hi|hey|good evening|well|okay], {name} [here|is here|speaking|is speaking]
    [good evening|good afternoon|good day|good morning], I am {name}
    [good evening|good afternoon|good day|good morning], my name is {name}
    I [was named|have the name|carry the name|answer to the name|use the name] [of|] {name}
    the name [of mine|I have|I go by] is {name}
    it is [me|I], {name}
    [here is|this is] {name}, [hello|nice to meet you|hi]
    [you are talking|you speak] [to|with] {name}
    [I would like to be|I want to be|please] called {name}
    [just|simply|feel free to|everyone may] call me {name}
    {name}, [nice to meet you|hello|that is me|at your service]
    [hello|hi|greetings] from {name}
    [you are speaking|you are writing|you talk] [to|with] {name}
    I am {name} [and I am new here|and I come from far away|and I am happy to be here|, hello]
    my name [would be|happens to be|of course is] {name}
    [in case you wonder|so you know|for your notes|let me say], I am {name}
    [in case you wonder|so you know|for your notes|let me say], my name is {name}
    my parents [named|called|call] me {name}
    [remember|note|keep in mind], [I am|my name is] {name}
    [it is|here is|this is] your friend {name}
    the person [talking|writing] [to you|here|] is {name}
    [my name|name]: {name}
    {name} is my [first|given|] name
    they [gave me the name|baptized me] {name}
    at [school|work|home] [they call me|I am called|everybody says] {name}
    """,
    """
    [everybody|everyone] calls me {name}
    I go by [the name of|] {name}
    [good day|good morning], {name} is my name
    """,
)
_TELL_ANSWERS = """
    Nice to meet you, {name}!
    Hello, {name}! Nice to meet you.
"""

_ASK = Phrasings(
    """
    what is my name?
    what's my name?
    [do you know|do you remember|can you tell me|tell me] [what|] my name [is|]?
    who am I?
    what am I called?
    [so|now|okay|and], what is my name?
    [please|] say my name
    what did I say my name was?
    [do you [still|] know|do you remember] who I am?
    * my name
    * the name [that|] I [gave|told|have|said]
    * the name I told you
    ~ what my name is
    ~ what I am called
    ~ who I am
    ~ what [people|my friends|you|they] call me
    how [do|can|should|would] you call me?
    how do [people|my friends] call me?
    what do [people|you|they|my friends] call me?
    which name [do I have|did I say|did I tell|is mine|was it|have I]?
    what name [do I have|did I say|is mine|did I mention|was it]?
    you [know|forgot|remember] my name, [don't you|right|what is it]?
    did you [remember|hear|note|learn] my name?
    have you [learned|heard|remembered|noted] my name?
    [you have not forgotten|I hope you did not forget] my name, [what is it|have you]?
    do you [still|] [have|recall] my name?
    my name [is|was] what [again|]?
    what was my name [again|]?
    am I [called something|somebody you know]?
    [tell|remind] me [of my name|how I am called|what I am called|who I am]
    [any idea|can you remember|do you recall|have you noted] [who I am|what I am called|my name]?
    [can|could|will] you [repeat|spell|tell|recall] my name [to me|please|for me|]?
    what [do|would|will] you call me [now|from now on|]?
    [who is|who is it that is] [talking|writing|speaking] to you?
    with whom [do you speak|are you talking|are you chatting]?
    [let us see|a test], [what is my name|who am I talking as|how am I named]
    [and|so] my name [is|was|would be]?
    the name of [the user|your user|the person you talk to], please
    you know me, [I am|my name is] who?
    """,
    """
    [which|what] name did I [give|tell] you?
    [have you forgotten|did you forget] my name?
    how am I called?
    """,
)
_ASK_ANSWERS = """
    Your name is {name}.
    You are {name}.
"""
_UNTOLD_ANSWERS = """
    I do not know your name. What is it?
"""


def tell(rng: Random, split: Split) -> list[Exchange]:
    name = a_name(rng, held_out=split == "held_out")
    answer = pick(rng, _TELL_ANSWERS, name=name)
    return [Exchange(_TELL.say(rng, split, name=name), answer, (normalised(name),))]


def recall(rng: Random, split: Split) -> list[Exchange]:
    name = a_name(rng, held_out=split == "held_out")
    told = Exchange(_TELL.say(rng, split, name=name), pick(rng, _TELL_ANSWERS, name=name))
    answer = pick(rng, _ASK_ANSWERS, name=name)
    return [told, Exchange(_ASK.say(rng, split), answer, (normalised(name),))]


def unknown(rng: Random, split: Split) -> list[Exchange]:
    return [Exchange(_ASK.say(rng, split), pick(rng, _UNTOLD_ANSWERS), ("do not know|not said",))]


SKILLS: dict[str, Maker] = {"name": tell, "name recall": recall, "name untold": unknown}
