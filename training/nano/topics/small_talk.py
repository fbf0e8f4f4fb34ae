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
    [hello|hi|hey] [dear|little|small|good|old|my] [friend|computer|nano|helper]
    [hello|hi|hey] [dear|little|small|good|old|my] [one|thing|machine|buddy]
    [hello|hi|hey], [dear|little|small] [friend|computer|nano|helper|machine|assistant]
    [hello|hi|hey] [assistant|robot|machine|computer|buddy|everybody|all|world|mate|nano, hello]
    [hello|hi], [my|little|dear] [model|robot]
    good [evening|morning|afternoon|day] [to all|everybody|dear friend|there|again|little one]
    [a|and a|the] [very|] good [day|evening] to [all|everyone|everybody]
    a [good|nice] [day|evening] to you
    hello [to all|everybody|from me|once more]
    [hey|hello|hi], [is] [somebody|someone] [there|around|here|home]?
    [hey|hello], [are you|is nano] [around|here|ready|online]?
    [anybody|anyone|somebody] [there|here|home|listening]?
    [howdy|hiya|hey hey|hi hi|hello hello|yo|welcome|hallo]
    [I say|just saying|wanted to say|I want to say|I would like to say] [hello|hi]
    [let me say|let us say|we say] [hello|hi] [to you|]
    [it is|] [nice|good|great|lovely] to [see|meet] you [again|nano|]
    [pleased|happy|glad] to meet you
    my greetings [to you|]
    [hello|hi|hey] [sweet|lovely|clever|tiny] [one|thing|helper|friend|machine]
    [hello|hi|hey], [long time no see|so good to be here|I am back|me again|I have come back]
    [hello|hi], [I am new here|this is my first time here|let us talk|shall we chat]
    [hello|hi|hey], [do you have time|can we talk|may I come in|are you free]?
    [morning|afternoon], [nano|everyone|everybody|my friend|dear]
    [a|] [happy|lovely|fine|beautiful] [morning|evening|afternoon] [to you|to everyone|]
    [here I come|I am here now|I just came in|knock knock], [hello|hi]
    [hello|hi] [from|out of] [my kitchen|the garden|school|my phone|far away]
    [heya|hey ho|hello you|hi you|hi all|good to be back|oh hello|ahoy]
    [who is there|anyone awake|are you with me], [hello|hi]?
    [glad|happy|so good] [to be here|to talk to you|that you are here|you are there]
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
    [thank you|thanks] [ever so much|very very much|indeed|again|once more]
    [thank you|thanks] [nano|a bunch|dear|my friend|a thousand times]
    [a thousand|a million|many|so many|a lot of] thanks [to you|nano|]
    [a million|kindly|many] thanks
    I [thank you|must thank you|am thankful|am grateful|have to thank you|say thanks|say thank you]
    I [want|wish|would love] to say [thanks|thank you]
    I would like to say [thanks|thank you] [for that|for your help|]
    let me thank you [for that|for your help|]
    [okay|all right|fine], [thanks|thank you] [nano|so much|for that|for the help|]
    [yes|cool|super|oh], [thanks|thank you] [nano|so much|for that|for the help|]
    [thanks|thank you] for [your time|talking to me|talking|explaining|telling us]
    [thanks|thank you] for [the information|all|the chat|being here|answering]
    [thankful|grateful] for [that|your help]
    [much appreciated|I appreciate it|I appreciate that]
    [oh|] that is [exactly what I needed|a great help|very useful], [thanks|thank you]
    [thanks|thank you], [I got it|that will do|now I know|you saved me|I owe you one|bless you]
    [cheers|thanks heaps|thanks tons|thanks mate|big thanks|thank you dearly|thanks, you are kind]
    I [really|truly] [am thankful|appreciate your help|thank you]
    [my|our] thanks [to you|go to you]
    that helped [me|us] [a lot|very much|], [thanks|thank you]
    [that is kind of you|how kind of you|you helped me a lot|you were a great help]
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
    [farewell|so long|bye|goodbye|cheerio|adieu|ciao], [nano|my friend|dear]
    [farewell|so long|bye|goodbye|cheerio|adieu|ciao], [everybody|little friend|robot|and thanks]
    [farewell|so long] [and thanks|and goodbye|then|for now]
    [I say|we say|time for|it is time for|time to say] [farewell|goodbye|bye]
    [okay|all right|well|and now|then], [farewell|so long|see you|see you later|take care]
    see you [then|again|soon again|on Monday|next week]
    see you [one day|some time|tonight|another day|around, nano]
    [I will see you|we will meet|I hope to see you] [again|tomorrow|later|soon|some day|around]
    I am [off|done|finished] [, goodbye|, bye|, see you|, nano|to bed|home]
    I am [off|done] [to work|here|with you|with this], [bye|goodbye|thanks and bye]
    I [will|am going to|want to] [leave|go|stop|go home|sleep|go to bed] [now|, bye|, goodbye]
    have a [good|nice|great|lovely] [day|evening|night|time|one|weekend] [, bye|, nano|, see you|]
    have a [great|lovely|fine] day, goodbye
    [enjoy|have] [your day|a nice evening], [bye|goodbye]
    [take care|until next time|until tomorrow]
    [until later|good night and sleep well|sleep well|good bye]
    [that was all|that is it|we are done|I am finished|no more questions], [bye|goodbye|see you]
    [let us|we can] [stop|end] here, [bye|goodbye|see you]
    gotta go
    [I have got to|I better|I should|time to] [run|hurry|get going|head out|be off] [now|]
    [I have|we have] to [catch my bus|go to work|go to school|cook dinner|sleep], [bye|see you]
    [thanks|thank you] and [bye|goodbye|see you]
    [it was|] [nice|good|fun|lovely] [talking to you|chatting|to talk], [bye|see you|goodbye]
    [speak|talk] [to you|] [soon|again|next week|another time]
    [good night|sleep tight|sweet dreams] [to you|my friend|everyone|, see you]
    [that is it|enough] for [now|today|tonight], [bye|goodbye|see you|good night]
    [laters|see ya|bye now|bye for today|toodles|over and out|peace]
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
    what a [good|great|cute|lovely|funny] [robot|computer|friend|helper] [you are|]
    what a [good|great|cute|lovely|funny] [machine|toy|assistant|thing|idea] [you are|]
    what a [wonderful|kind|smart|clever|nice] [robot|computer|friend|helper] [you are|]
    what a [wonderful|kind|smart|clever|nice] [machine|toy|assistant|thing|idea] [you are|]
    what a [great|good|wonderful|fine|beautiful] [answer|model] [that was|you are|]
    [that was|this is|this was] a [good|great|nice] [answer|reply|one|joke]
    [that was|this is|this was] a [clever|smart|perfect|very good] [answer|reply|one|joke]
    [good|great|nice|clever|perfect|smart] [one|reply|joke|job, nano]
    [good|great|nice|clever|perfect|smart] [work, nano|answer, nano|boy|girl|thing]
    [bravo|hurray|hooray|super|amazing|awesome], [nano|well done|good job]
    [bravo|hurray|hooray|super|amazing|awesome], [that is right|you are good|very good]
    [fantastic|brilliant|impressive|correct|exactly|wow], [nano|well done|good job]
    [fantastic|brilliant|impressive|correct|exactly|wow], [that is right|you are good|very good]
    [bravo|super|fantastic|brilliant|hooray] to you
    [amazing|awesome|fantastic|brilliant|impressive|bravo bravo|wow]
    you [really|truly|certainly] are [good|great|smart|clever|kind|the best|amazing]
    you [really|] are [a good|a smart|a lovely|the best] [robot|friend|helper]
    you [really|] are [a good|a smart|a lovely|the best] [computer|assistant|model]
    you are [a|such a|] [good|great|lovely|genius|wonderful] [model|friend|robot|helper|assistant]
    you [answered|replied|said that] [well|very well|perfectly|correctly]
    your [answer|reply|joke|voice] [is|was] [good|great|nice|perfect|very clever|right]
    I [think|believe] you are [good|great|smart|nice|clever|very kind]
    [I am|we are] [impressed|proud of you|happy with you|your fan]
    [I like|I love] [your answer|that answer|how you talk|this model|talking to you]
    [that|this] is [exactly|quite|absolutely] [right|correct|true]
    [you got it|you nailed it|right again|spot on|you know a lot|well said|nice one|good thinking]
    you are [helpful|so helpful|a good listener|a star|very polite|sweet|adorable]
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
    [ok|okay|fine|good|all right|yes|sure|right], [understood|very well]
    [ok|okay|fine|good|all right|yes|sure|right], [let us go on|go on|that works]
    [ok|okay|fine|good|all right|yes|sure|right], [no problem|that is good]
    [ok|okay|fine|good|all right|yes|sure|right], [I understand|got that|agreed]
    [understood|very well|agreed|alright|of course|certainly|indeed]
    [fair enough|no problem|cool|go on|got that|that works|noted]
    [understood|very well|agreed|alright], [thanks, go on|nano|I see|okay|good]
    [let us|we can|you can|please] [go on|continue|move on|proceed]
    [I see|right|well|so], let us [go on|continue|proceed]
    [I see|I understand|I got it|that is clear|that makes sense|I get it] [now|nano|]
    [it|that|this] is [fine|okay|all right|clear|good for me|understood]
    [yes|yeah|yep|okay], [exactly|I agree|that is it|indeed|of course|please continue]
    [no|nope], [not now|I am fine|thanks, nothing|that is all right]
    I [agree|see what you mean|am fine with that|think so too]
    [aha|oh I see|ah okay|mm|uh huh|okay then|all right then|good then]
    [sounds|looks] [good|fine|right|okay|great] [to me|]
    [I am|we are] [with you|fine with that|okay with it]
    [if you say so|I guess so|why not|so be it|that is what I thought|interesting|good to know]
    [great|perfect|lovely|wonderful|super], [let us continue|continue|go ahead|what else]
    [good|great|perfect|well], [we can|we may|let us] [continue|move on|go ahead]
    [now|then|so] we can [continue|go ahead|move on]
    [that|it] is [enough|all right|good to know] [for me|for now|]
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
    * a [joke|funny joke|good joke|short joke]
    * [something funny|one of your jokes|your best joke]
    ~ a [funny|good|] joke
    I [want|would like|need|would love|am in the mood] [for|to have] a [good|funny|] joke
    I [want|would like|would love] to [laugh|smile|be entertained]
    I [want|would like] [you to tell me|to be told] a joke
    [do|did] you [have|hear|remember] [a|any|some|one|another] [joke|jokes] [for me|for us|]?
    [do|did] you [have|hear|remember] [a|any] [funny story|good ones] [for me|for us|]?
    [do|did] you [have|hear|remember] [some|one|another] [funny story|good ones] [for me|for us|]?
    have you [heard|] a joke [for me|]?
    [any|some|more|another|got another] [joke|jokes|funny thing] [for me|to tell|please|]?
    [a joke|jokes], please
    [can|could|would|will] you [be funny|make me laugh|entertain me|make a joke|joke a bit]?
    [it is|] time for a joke
    how about a joke?
    [let me|let us|we want to] hear [a|your|another] [joke|best joke]
    what is [your best joke|a good joke|funny]?
    joke [please|time|]
    [cheer me up|amuse me|I could use a laugh|something to laugh about]
    [are there|do you tell] [any|] [jokes|funny stories] [here|]?
    [know|heard] any [good|funny|new] [jokes|ones]?
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
