"""How the user feels, and how the model is."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick, words_of

_GOOD = (
    "happy glad great good fine excited wonderful cheerful proud well fantastic delighted pleased "
    "relaxed lucky joyful amazing awesome super thankful"
).split()
_BAD = (
    "sad tired angry lonely bad sick afraid bored upset unhappy nervous worried ill awful terrible "
    "scared miserable depressed stressed exhausted hurt frustrated horrible weak"
).split()

_FEEL = Phrasings(
    """
    I am [so|very|a bit|really|] {feeling} [today|]
    I feel [so|very|a bit|really|] {feeling} [today|right now|]
    I am feeling [so|very|a little|] {feeling}
    today I [am|feel] {feeling}
    [oh|well|hello], I am {feeling}
    [my friend and I are|we are] [very|] {feeling}
    I [think|guess] I am {feeling} [today|]
    I was {feeling} [yesterday|this morning|all day]
    [right now|at the moment|these days] I [am|feel] [so|very|rather|quite|pretty|] {feeling}
    [this week|this evening] I [am|feel] [so|very|rather|quite|pretty|] {feeling}
    [since yesterday|now] I [am|feel] [so|very|rather|quite|pretty|] {feeling}
    I [am|feel] [rather|quite|pretty|extremely] {feeling} [now|right now|today]
    I [am|feel] [rather|quite|pretty|extremely] {feeling} [these days|at the moment|]
    I [am|feel] [a little|kind of|somewhat|totally] {feeling} [now|right now|today]
    I [am|feel] [a little|kind of|somewhat|totally] {feeling} [these days|at the moment|]
    I have been [very|so|quite|rather|] {feeling} [today|since yesterday|for days|lately|this week|]
    I have [felt|been feeling] {feeling} [all day|lately|today|since this morning]
    [today|this] is [a day|one of the days] when I feel {feeling}
    it is [a|one more] day [and|when] I [am|feel] {feeling}
    [my|this] day makes me [feel|] {feeling}
    [you know|to be honest|honestly|well|listen], I [am|feel] [really|quite|so|] {feeling}
    my [mood|day|morning|week] [is|was] {feeling}
    I am in a {feeling} mood
    [what should I say|I must tell you|I have to say|I can tell you], I [am|feel] {feeling}
    [everything|life|work|school] makes me {feeling} [today|these days|]
    [feeling|so] {feeling} [today|right now|]
    I am {feeling} and I [do not know why|wanted to tell you|just want to talk]
    we [are|feel] [all|both|so|quite] {feeling} [today|]
    [it is a|I have had a|this is a|what a] {feeling} [day|week|morning|evening] [today|for me|]
    I [just|simply|somehow|still|always|often] [feel|am] {feeling} [lately|today|at school|at work|]
    [today|my weekend|my night|school|work|my trip] [was|is] {feeling}
    I [get|got|am getting] {feeling} [now|when I am alone|at night|in the evening]
    [gosh|wow|phew|sigh|yay|oh dear|oh man], I am [so|really|] {feeling}
    [kind of|sort of|very|really|super] {feeling} [today|right now|at the moment|]
    I [woke up|came home|went to bed] {feeling}
    [somehow|sometimes|often|again] I [am|feel] {feeling}
    I [cannot say why but I|must admit that I|think that I] [feel|am] {feeling}
    [things|all things|everything] [are|is|feel] {feeling} [for me|today|]
    """,
    """
    I have been {feeling} [all day|since this morning]
    right now I am [rather|quite] {feeling}
    it is one of those days, I feel {feeling}
    """,
)
_GOOD_ANSWERS = """
    That is great! I am happy for you.
    I am happy to hear that!
"""
_BAD_ANSWERS = """
    I am sorry to hear that. I hope you feel better soon.
    Oh, I am sorry. I hope it gets better soon.
"""

_HOW_ARE_YOU = Phrasings(
    """
    how are you?
    how are you [today|doing|feeling|doing today]?
    [hello|hi|hey], how are you [today|doing|]?
    how do you [do|feel] [today|]?
    how is it going?
    are you [well|okay|fine|happy] [today|]?
    what's up?
    how have you been?
    [and|so], how are you?
    * your mood [today|]
    ~ how you are [today|doing|feeling|]
    ~ whether you are [well|fine|okay|happy]
    how are [things|you all|we] [today|going|]?
    how is [everything|your day|your day going|your life|it|the day]?
    how is everything [going|with you|today]?
    how do things go [with you|]?
    how [are|is] [things|life] [going|at your place|these days]?
    how are you [this morning|this evening|these days|right now|my friend]?
    [I hope|I trust] [you are|everything is] [okay|good] [today|], [is it|are you|yes]?
    [I hope|I trust] [you are|everything is] [all right|happy] [today|], [is it|are you|yes]?
    are you [feeling|doing] [well|fine|okay|good] [today|]?
    [is everything|are things] [okay|all right|fine|well] [with you|]?
    how does life treat you?
    how has your day been?
    what is new [with you|]?
    you [are|feel] [well|fine|okay|good] [today|], [yes|right|I hope]?
    did you sleep well?
    and you, how are you [doing|]?
    how was your [day|night|week|weekend|morning] [so far|]?
    how goes it [today|my friend|with you|]?
    [is it|was it] a [good|nice|busy] day [for you|]?
    [did|do] you have a [good|nice|quiet] [day|night|week|time]?
    [everything|all] [all right|okay|good|fine|in order] [with you|over there|there|]?
    how do you find yourself [today|]?
    how well are you [today|]?
    in what [mood|shape] are you [today|]?
    are you [in a good mood|all right|happy|cheerful|satisfied|feeling good] [today|now|]?
    [tell me|say], how [are you|is it going|do you do|is life]?
    what is [going on|happening|the news] with you?
    [how is|what about] your [mood|health] [today|]?
    things [good|okay|fine|all right] [with you|today|]?
    how are you [getting on|keeping|holding up|managing]?
    [hello|hi|hey], [all good|everything fine|you good|are you well]?
    """,
    """
    how is life [treating you|]?
    how are things [with you|]?
    I hope you are [well|fine], are you?
    """,
)
_HOW_ARE_YOU_ANSWERS = """
    I am fine, thank you! How are you?
    I am doing well, thank you.
"""


_GOOD_NEWS = Phrasings(
    """
    [guess what|listen|good news|you know what|hey|hooray|yay], {event}
    {event} [today|yesterday|this morning|at last|]
    {event} and I am [so|very|really|] {feeling}
    I am [so|very|really|] {feeling} because {event}
    I am [so|very|really|] {feeling} about my [new home|holiday|garden|present|party|friends]
    I [can tell you that|want to tell you that|am glad that] {event}
    {event}, [is that not great|can you believe it|I cannot believe it|what a day]!
    [I|we] had a [great|wonderful|lovely|perfect] [time|night|week|party|trip] [with friends|]
    [today|this week|it] [could not|cannot] be better
    I am not {bad} [any more|at all|these days]
    [my|our] [game|trip|party|lesson|test] [was|is] [great|fun|wonderful|a success]
    [I|we] [did|made|managed|finished|learned] it [at last|today|all alone|]
    """,
    """
    today {event} and it feels {feeling}
    you will not believe it, {event}
    """,
)
_BAD_NEWS = Phrasings(
    """
    [bad news|listen|oh no|you know what|sadly|alas|ugh|sigh], {event}
    {event} [today|yesterday|this morning|again|]
    {event} and I am [so|very|really|] {feeling}
    I am [so|very|really|] {feeling} because {event}
    I am [so|very|really|a bit|] {feeling} about my [job|school|family|health|future|marks]
    I am [afraid|scared|worried|nervous] [of|about] [spiders|thunder|water|tomorrow|flying|school]
    I am [angry|upset] [with|at|about] my [sister|boss|neighbor|friend|teacher|father]
    I [must tell you that|have to say that|am sad that] {event}
    {event}, [what a pity|it is so hard|I could cry|I do not know what to do]
    [I|we] had a [terrible|hard|rough|sad] [time|night|week|party|trip] [with my boss|]
    [today|this week|it] [could not|cannot] be worse
    [I am|] not [so|very|too|really|feeling] {good} [today|right now|at the moment|]
    I do not feel [so|very|too|] {good} [today|right now|at the moment|]
    [my|our] [game|trip|party|lesson|test] [was|is] [terrible|a disaster|no fun]
    I have [got|] a [cough|sore throat|toothache|stomach ache|broken heart|bad cold]
    [nothing|not a thing] [works|goes right|is fun] [today|for me|these days]
    my [dog|bird|horse|friend|aunt|uncle] [is ill|got hurt|is gone|left me|is in hospital]
    """,
    """
    today {event} and it feels {feeling}
    you will not believe how sad it is, {event}
    """,
)
_GOOD_EVENTS = words_of(
    "I got a new job;I have a new bike;my friend visits me;I found my keys;we go on holiday;"
    "I got a good mark;it is my birthday;my team won;I finished my work;my sister got married;"
    "I fell in love;I made a new friend;the sun is shining;I slept very well;I won a prize;"
    "my mother is healthy again;I have a baby brother;we bought a house;I learned to swim;"
    "my teacher praised me;I got a present;my cat came back;the exam went well;school is over;"
    "we beat the other team;I am in the team;I ran five miles;my painting is ready;it is Friday;"
    "my best friend is here;I cooked a good dinner;I have no homework;I met somebody nice",
    ";",
)
_BAD_EVENTS = words_of(
    "I lost my keys;I failed the exam;my cat ran away;my friend moved away;I broke my arm;"
    "I cannot sleep;nobody talks to me;my boss shouted at me;my grandmother died;I have a cold;"
    "my tooth hurts;we lost the match;I missed my bus;I had a fight with my friend;I am all alone;"
    "my bike was stolen;I have a fever;my fish is dead;it was a hard week;I feel sick;"
    "my stomach hurts;I got a bad mark;everything went wrong;nobody came to my party;"
    "my computer broke;I fell off my bike;they laughed at me;I have so much homework;it rains;"
    "I miss my family;I made a mistake;I forgot her birthday;I have to stay in bed",
    ";",
)
_FINE_TOO = Phrasings(
    """
    I am [fine|good|well|okay|great] [too|as well|also|], [thanks|thank you|thanks for asking]
    [fine|good|very well|great|all good], [thanks|thank you|and thanks for asking]
    [I am|I feel] [fine|good|well|great] [too|as well|]
    [not bad|pretty good|very good|quite well|all right] [, thanks|, thank you|]
    """,
    """
    [I am|feeling] just fine, thanks
    also [good|fine], thank you
    """,
)


def good(rng: Random, split: Split) -> list[Exchange]:
    slots = {"feeling": rng.choice(_GOOD), "event": rng.choice(_GOOD_EVENTS)}
    slots["bad"] = rng.choice(_BAD)
    question = (_FEEL if rng.random() < 0.6 else _GOOD_NEWS).say(rng, split, **slots)
    return [Exchange(question, pick(rng, _GOOD_ANSWERS), ("happy",), frozenset({"sorry"}))]


def bad(rng: Random, split: Split) -> list[Exchange]:
    slots = {"feeling": rng.choice(_BAD), "event": rng.choice(_BAD_EVENTS)}
    slots["good"] = rng.choice(_GOOD)
    question = (_FEEL if rng.random() < 0.6 else _BAD_NEWS).say(rng, split, **slots)
    return [Exchange(question, pick(rng, _BAD_ANSWERS), ("sorry",), frozenset({"happy"}))]


def how_are_you(rng: Random, split: Split) -> list[Exchange]:
    question = _HOW_ARE_YOU.say(rng, split)
    return [Exchange(question, pick(rng, _HOW_ARE_YOU_ANSWERS), ("fine|well", "thank you"))]


def how_the_user_is(rng: Random, split: Split) -> list[Exchange]:
    asked_back = "I am fine, thank you! How are you?"
    first = Exchange(_HOW_ARE_YOU.say(rng, split), asked_back, ("fine|well", "thank you"))
    return [first, Exchange(_FINE_TOO.say(rng, split), "I am happy to hear that!", ("happy",))]


SKILLS: dict[str, Maker] = {
    "feeling good": good,
    "feeling bad": bad,
    "how are you": how_are_you,
    "how the user is": how_the_user_is,
}
