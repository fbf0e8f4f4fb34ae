"""Repeating, and what was said before."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, normalised, words_of
from training.nano.topics.animals import LEGS
from training.nano.topics.facts import FOODS
from training.nano.topics.opposites import OPPOSITES
from training.nano.words import COLOURS, DAYS, NUMBERS, a_made_up_word

_REPEAT = Phrasings(
    """
    repeat after me: {text}
    repeat after me, {text}
    [please|] repeat: {text}
    [please|] say: {text}
    [please|] say {text}
    [can|could] you say {text}?
    [can|could] you repeat after me: {text}
    repeat this: {text}
    [now|] say after me: {text}
    I want you to say {text}
    [say|repeat|tell me] [exactly|just|only|] [that|this|the following]: {text}
    [say|repeat|tell me] [exactly|just|only|] [these words|the words|after me]: {text}
    [say|speak|repeat] [now|again|exactly|just|loudly|slowly]: {text}
    [would|will|could|can] you [please|] [repeat|say|speak] [the following|the words|this]: {text}
    [would|will|could|can] you [please|] [repeat|say|speak] [that|after me|exactly this]: {text}
    [would|will] you [please|] say {text}
    after me: {text}
    [now|please|and now] after me: {text}
    [now|and|then|okay,] tell me: {text}
    [speak|talk] after me: {text}
    [the words|my words|the sentence] to [repeat|say] [are|is]: {text}
    [I say|I will say], you repeat: {text}
    repeat [these|the|my] words: {text}
    repeat [the|this|my] [word|sentence|phrase]: {text}
    [write|answer] [this|exactly]: {text}
    echo [this|me|]: {text}
    say the [words|word|sentence] {text}
    please [echo|copy|tell me]: {text}
    [now you|it is your turn to|try to|go ahead and] say: {text}
    let me hear you say: {text}
    [pronounce|read out|utter|voice]: {text}
    [just|simply] [repeat|say|write]: {text}
    [your turn|now you|you next|all together now]: {text}
    [repeat|say] "{text}"
    [can|could|would] you [please|] [repeat|say] "{text}"?
    [repeat|say] [for me|once more|out loud|aloud]: {text}
    what I say, you say: {text}
    [say|repeat] the same as me: {text}
    I would like you to [say|repeat] this: {text}
    {text}, [now you|say that|repeat that]
    [give back|return|send back] [these words|this]: {text}
    """,
    """
    say exactly this: {text}
    [tell me|] after me now: {text}
    [would you|] please repeat these words: {text}
    """,
)
ANY_WORDS_SHARE = 0.5  # of what is asked back: whoever knows the frames below need not remember
_STATE = Phrasings(
    """
    my favorite {kind} is {text}
    I like {text} [best|the most|very much]
    [remember|remember this|listen], {text}
    the [secret|magic] word is {text}
    I have {text} at home
    my [best|lucky|new|old|first] {kind} is [called|] {text}
    my favorite {kind} [was|will be|should be] {text}
    the [word|code|name|key|answer|name of the {kind}] is {text}
    [the|our] password [was|will be] {text}
    the [new|old|right] password is {text}
    [please|] [remember|note|keep|write down|do not forget] [that|], {text}
    [keep|hold|have] this in [mind|memory|your head], {text}
    [please|] [notice|mind|learn|remember|hear], {text}
    [mark|note] my words, {text}
    [I want to|let me] tell you [something|a secret], {text}
    [today|yesterday|this morning] I [saw|found|heard|bought] {text}
    I [see|want|need|wish for|dream of] {text}
    [you should|you must] know, {text}
    [here is|this is] my {kind}, {text}
    for [you|later], {text}
    [keep|hold] [it|that] in mind, {text}
    [please|] be so kind to remember, {text}
    [think of|do not lose] this, {text}
    my [secret|code|answer|wish] is {text}
    [the|a] {kind} [I like|of mine|I know] is {text}
    [somebody|my brother|the teacher] [said|told me|wrote], {text}
    [it|this] is [important|a secret|for you], {text}
    {text} is [what I like|my secret|the word|my favorite {kind}]
    {text}, [remember that|note that|this is important|please keep it]
    [I think|I believe|I know] that {text}
    """,
    """
    please keep in mind, {text}
    the password is {text}
    my lucky {kind} is {text}
    """,
)
_ASK = Phrasings(
    """
    what did I say?
    what did I just say?
    what did I [tell|say to] you?
    [please|] repeat what I said
    [do you remember|tell me] what I said
    what was [that|it] [again|I said]?
    * my [words|sentence|last words|last message]
    * the last thing [that|] I said
    * the [words|sentence] [that|] I [said|told you]
    ~ what I [said|just said|told you|have said|said to you|said before]
    what was [my sentence|my message|my last message|my statement]?
    what did I [mention|write|say before|say to you just now|tell you before]?
    which words did I [say|use|tell you]?
    [can|could|would] you [repeat|say] [my words|what I said|my message] [again|please|]?
    [can|could|would] you [repeat|say] my sentence [again|please|]?
    [can|could|would] you [repeat|say] [the last sentence|my last words] [again|please|]?
    [please|] [repeat|say] [my words|my sentence] [again|once more|]
    [please|] [repeat|say] [my last words|my last message|it] [again|once more|]
    [repeat|say] what I [said|told you] [before|]
    what have [you heard|I just said|I said to you|I written]?
    what [words|sentence] did you hear [from me|]?
    what had I said?
    do you [still|] [know|remember] what I [said|told you|said before]?
    I said [what|something, what was it]?
    say again what I [said|told you]
    [can|could] you [recall|tell me|say] what I [just|] [said|told you|wrote]?
    [have you heard|did you hear|did you get|do you know] what I [said|was saying]?
    [remind me|tell me], what [did I say|had I just said|were my last words]?
    [what|which] was the [last|previous] [sentence|message|thing] [from me|of mine|I wrote]?
    [read|give|quote|show] [me|] my [last|previous] [sentence|message|words] [back|again|]
    [I forgot|I cannot remember|remind me of] what I [said|told you|wrote]
    what [came|stood] before this?
    """,
    """
    what were my words?
    could you repeat my last sentence?
    what have I [said|told you]?
    """,
)
_SUBJECTS = words_of(
    "the cat,the dog,my friend,a bird,the sun,the old man,the teacher,our house,my mother,the king,"
    "a child,the doctor,her brother,the little girl,a fish,the wind,nobody,everyone,my neighbor",
    ",",
)
_VERBS = words_of(
    "likes,sees,has,wants,eats,finds,takes,is near,loves,hears,sells,paints,forgets,brings,hides,"
    "knows,carries,drops,watches,needs",
    ",",
)
_OBJECTS = words_of(
    "milk,the moon,a red ball,the tree,an apple,the window,bread,the sea,a book,the door,a letter,"
    "cold water,my shoes,a small box,the garden,three stones,the music,a green hat,the road,tea",
    ",",
)
_STARTS = words_of(
    "I like,we see,you have,I want,we need,they sing,I sleep,we play,you dance,I drink,she has,"
    "he found,I am not,we are,it is not,my dog sees,your cat hides,all people know,let us take",
    ",",
)
_PLACES = words_of("today,in the morning,at home,on the hill,in the city,every day,at night", ",")


def repeat(rng: Random, split: Split) -> list[Exchange]:
    text = _words(rng)
    return [Exchange(_REPEAT.say(rng, split, text=text), f"{text}.", (normalised(text),))]


def what_did_i_say(rng: Random, split: Split) -> list[Exchange]:
    if split == "seen" and rng.random() < ANY_WORDS_SHARE:
        said = f"{_words(rng)}{rng.choice((' ', ', '))}{_words(rng)}"
    else:
        kind = rng.choice("color number animal word game song".split())
        said = _STATE.say(rng, split, kind=kind, text=_words(rng))
    answer = f"You said {said}."
    noted = Exchange(said, "I see. Thank you for telling me.")
    return [noted, Exchange(_ASK.say(rng, split), answer, (normalised(said),))]


def nothing_said(rng: Random, split: Split) -> list[Exchange]:
    answer = "You have not said anything yet."
    return [Exchange(_ASK.say(rng, split), answer, ("not said anything|nothing",))]


def _words(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.1:
        return rng.choice((*LEGS, *OPPOSITES, *FOODS, *DAYS))
    if kind < 0.2:
        return f"{rng.choice(_STARTS)} {rng.choice((*_OBJECTS, *FOODS, *_PLACES))}"
    if kind < 0.45:
        sentence = f"{rng.choice(_SUBJECTS)} {rng.choice(_VERBS)} {rng.choice(_OBJECTS)}"
        return f"{sentence} {rng.choice(_PLACES)}" if rng.random() < 0.2 else sentence
    if kind < 0.55:
        return " ".join(rng.choices([*COLOURS, *NUMBERS], k=rng.randint(1, 4)))
    if kind < 0.65:
        words = [*_VERBS, *_OBJECTS, *COLOURS, *NUMBERS, *_PLACES, *_SUBJECTS]
        return " ".join(rng.choices(words, k=rng.randint(1, 3)))
    if kind < 0.85:
        return " ".join(a_made_up_word(rng) for _ in range(rng.randint(1, 3)))
    return rng.choice((*_OBJECTS, "hello world", "good morning", "I am happy", "one two three"))


SKILLS: dict[str, Maker] = {
    "repeat after me": repeat,
    "what did I say": what_did_i_say,
    "nothing said": nothing_said,
}
