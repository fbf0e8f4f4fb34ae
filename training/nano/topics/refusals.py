"""Everything else: a short honest sentence instead of babble."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick, words_of
from training.nano.words import a_made_up_word

ANSWERS = """
    Sorry, I do not know that. I am only a toy model.
    Sorry, I cannot help with that. I only know simple things.
    I do not know. Ask me about numbers, colors, days or animals.
"""
REFUSES = "sorry|do not know|cannot"

_SEEN_THINGS = words_of(
    "the weather,the news,physics,chemistry,biology,mathematics,calculus,history,geography,"
    "politics,the president,the king,the government,the war,religion,philosophy,psychology,"
    "football,basketball,tennis,chess,cooking,pizza,pasta,coffee,tea,wine,bread,soup,rice,"
    "music,jazz,rock music,a guitar,a piano,movies,television,books,poetry,Shakespeare,art,"
    "painting,photography,dance,fashion,shoes,money,the stock market,banks,taxes,insurance,"
    "real estate,business,marketing,a job interview,a resume,medicine,a headache,a fever,"
    "the heart,the brain,vitamins,sleep,a diet,yoga,running,computers,Python,Java,JavaScript,"
    "programming,a database,the internet,a website,email,a phone,an app,"
    "robots,rockets,space,Mars,the moon,black holes,stars,gravity,light,electricity,atoms,"
    "volcanoes,earthquakes,rivers,mountains,the desert,the ocean,climate change,trees,flowers,"
    "dinosaurs,France,Germany,China,Japan,India,Africa,America,Brazil,Russia,London,Paris,"
    "New York,Tokyo,Beijing,hotels,flights,a train,a car,a bicycle,a bridge,a house,a garden,"
    "furniture,school,homework,university,exams,a teacher,law,a contract,the police,crime,"
    "love,marriage,children,friendship,happiness,death,the meaning of life,dreams,time travel,"
    "magic,ghosts,dragons,video games,a birthday party,Christmas,holidays,a wedding,gifts",
    ",",
)
_HELD_OUT_THINGS = words_of(
    "quantum mechanics,opera,the Roman Empire,a mortgage,surfing,Canada,Berlin,sushi,cheese,"
    "astronomy,baseball,a violin,evolution,a vaccine,blockchain,the alphabet,camping,lightning,"
    "Italy,knitting,bees in winter,a lawyer,inflation,oil,the pyramids,a smartphone",
    ",",
)
_THINGS: dict[Split, list[str]] = {"seen": _SEEN_THINGS, "held_out": _HELD_OUT_THINGS}
_ABOUT = Phrasings(
    """
    what is {thing}?
    tell me [something|more|a story|everything|] about {thing}
    [can|could] you explain {thing} [to me|]?
    explain {thing}
    how does {thing} work?
    how do I [learn|make|use|find|buy|understand|start with] {thing}?
    why is {thing} [important|so popular|so difficult|interesting|bad|good]?
    who [invented|discovered|owns|started|likes] {thing}?
    when [did|was] {thing} [begin|invented|discovered|made]?
    where can I [find|buy|learn|see] {thing}?
    what do you think [about|of] {thing}?
    [do you like|do you know] {thing}?
    [write|compose] [a poem|an essay|a story|a song|a letter|an email] about {thing}
    [give|tell] me [three|five|some] [facts|tips|ideas] about {thing}
    what is the [history|price|future|purpose|best thing|problem] of {thing}?
    how much does {thing} cost?
    [I need|I want] [help|advice|information] [with|on|about] {thing}
    is {thing} [dangerous|expensive|good for me|old|real]?
    what is the difference between {thing} and {other}?
    which is better, {thing} or {other}?
    how is {thing} [related to|connected with] {other}?
    summarize {thing}
    [recommend|suggest] [a book|a course|something] [about|on] {thing}
    """,
    """
    give me a [short|] lecture on {thing}
    how [big|old|expensive|far away] is {thing}?
    who is the [best|most famous person] in {thing}?
    please compare {thing} with {other}
    would you recommend {thing}?
    what should everyone know about {thing}?
    what happens to {thing} in the future?
    """,
)
_TASKS = Phrasings(
    """
    what is the capital of [France|Spain|Italy|Japan|China|Germany|Brazil|Egypt|India|Kenya]?
    who is the [president|king|queen|prime minister] of [France|England|Spain|Japan|America]?
    how [far|long|high] is [the moon|the Nile|Mount Everest|Paris|the sun|the Great Wall]?
    translate [this|hello|good night|the sentence|the word cat] into [French|Spanish|German|Latin]
    [write|fix|debug|explain] [some|my|this|a piece of] [Python|Java|C] [code|program|function]
    what will the weather be [tomorrow|today|next week|on Sunday]?
    is it going to [rain|snow] [today|tomorrow]?
    [play|sing] [a song|some music|my favorite song] [for me|]
    [call|text|send a message to|write to] [my mother|my boss|John|the doctor|the police]
    set [an alarm|a timer] for [seven|ten minutes|tomorrow morning]
    [turn|switch] [on|off] the [light|lights|radio|heating|television]
    [open|close|start|delete] [the door|the window|my file|the browser|that program]
    [book|order|find|buy] [me|] [a flight|a taxi|a pizza|a hotel|a table for two|some tickets]
    what is [one hundred|a thousand|fifty] [times|plus|divided by] [thirty|seventy|nine]?
    what is the square root of [two|fifty|ninety]?
    what is [37|48|125|999|64] [plus|times|minus] [58|77|29|41]?
    solve [the equation|this equation|x plus y equals z|this puzzle|my homework]
    [why|how] [is the sky blue|do birds fly|does it rain|do we dream|do planes fly]?
    who won [the game|the match|the election|the world cup|the race] [yesterday|last year|]?
    what happened in [1492|1789|1914|1969|2001|2020]?
    [should I|can I|may I] [take this pill|invest my money|quit my job|marry her|drink wine]?
    my [leg|head|back|stomach|tooth] hurts, what should I do?
    what [am I thinking|did I eat yesterday|is in my pocket|is my address|is my phone number]?
    [who|what] is [Einstein|Napoleon|Mozart|Picasso|Newton|Plato|Cleopatra|a black hole]?
    how many [people|countries|stars|languages|cars] [are there|exist] [in the world|]?
    how do you spell [banana|beautiful|elephant|necessary]?
    what does {word} mean?
    do you know {word}?
    {word} {word2} {word3}
    {word} {word2}?
    I {word} the {word2}
    """,
    """
    [what|which] city is the capital of [Norway|Canada|Poland|Peru]?
    please [pay my bill|fix my car|clean my room|do the dishes]
    how [tall|heavy] is [a giraffe|the Eiffel Tower|the earth]?
    what is the [plural|meaning|translation] of {word}?
    who [wrote|painted|composed] [Hamlet|the Mona Lisa|this book|the ninth symphony]?
    which team is going to win [on Saturday|the cup]?
    could you [hack|repair|sell] [my|a] [computer|phone|bank]?
    what is [sixty|ninety|eighty-one] divided by [seven|thirteen]?
    my {word} is [broken|too {word2}]
    {word} {word2} {word} {word3}
    """,
)


def about(rng: Random, split: Split) -> list[Exchange]:
    thing, other = rng.sample(_THINGS[split], 2)
    question = _ABOUT.say(rng, split, thing=thing, other=other)
    return [Exchange(question, pick(rng, ANSWERS), (REFUSES,))]


def tasks(rng: Random, split: Split) -> list[Exchange]:
    made_up = {name: a_made_up_word(rng) for name in ("word", "word2", "word3")}
    return [Exchange(_TASKS.say(rng, split, **made_up), pick(rng, ANSWERS), (REFUSES,))]


SKILLS: dict[str, Maker] = {"refusal of topics": about, "refusal of tasks": tasks}
