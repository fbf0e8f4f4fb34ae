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
    "magic,ghosts,dragons,video games,a birthday party,Christmas,holidays,a wedding,gifts,"
    "statistics,algebra,economics,engineering,architecture,poker,golf,skiing,swimming,sailing,"
    "hiking,fishing,hunting,sewing,pottery,ballet,theater,a museum,a trumpet,drums,a violinist,"
    "bacteria,viruses,cancer,allergies,a surgeon,a dentist,antibiotics,the immune system,"
    "genetics,nuclear power,solar energy,a battery,an engine,an airplane,a submarine,satellites,"
    "lasers,a microscope,plastic,steel,gold,diamonds,petrol,coal mines,the Romans,the Greeks,"
    "the Vikings,the Middle Ages,Napoleon,the French revolution,the cold war,slavery,democracy,"
    "a parliament,elections,the constitution,a judge,prison,an inheritance,a loan,a pension,"
    "bitcoin,interest rates,unemployment,a startup,advertising,a warehouse,farming,wheat,"
    "chocolate cake,noodles,salad,beer,butter,spices,honey,potatoes,mushrooms,a barbecue,"
    "Spain,Sweden,Mexico,Egypt,Australia,Korea,Turkey,Rome,Madrid,Moscow,Sydney,Chicago,"
    "the Alps,the Amazon,the Sahara,the Pacific,a tornado,a storm,the weather tomorrow,snowboards,"
    "a laptop,a printer,a camera,Linux,Windows,an algorithm,machine learning,encryption,a server,"
    "a novel,grammar,Latin,poems,comics,sculpture,a cathedral,the Bible,Buddhism,angels,astrology",
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
    * [the meaning|the history|the truth|a summary] of {thing}
    * [the price|a description|the story|a picture] of {thing}
    * [some|more|all|the latest] [facts|news|details|information|ideas] [about|on] {thing}
    ~ how {thing} works
    ~ [what|who] {thing} is
    ~ why {thing} [matters|is famous|exists|costs so much]
    [describe|discuss|analyze|review|define|compare|teach me|show me] {thing} [and {other}|for me|]
    [what|which] [kinds|types|parts|rules|laws] of {thing} [are there|exist|do you know]?
    how [good|bad|safe|hard|fast|long|deep|popular|heavy|strong] is {thing}?
    who is [famous for|responsible for|good at|the father of|behind] {thing}?
    who is the [first|richest|greatest|worst] [person|one|man|woman] in {thing}?
    would you [buy|like|choose|use|try] {thing}?
    [please|now] [compare|explain|discuss|describe] {thing} [and|or] {other}
    what [happened|will happen|is happening] [to|with] {thing} [last year|tomorrow|]?
    what should I [know|learn|say|read|think] about {thing}?
    what should [we|people] know about {thing}?
    [give|hold|write] [me|] a [speech|talk|report|short text|course] [about|on] {thing}
    does {thing} [hurt|help|matter|cost a lot|make you rich|come from {other}]?
    [my|our] [friend|sister|boss|class] [likes|studies|sells|hates|needs] {thing}
    can I [eat|buy|sell|keep|visit|study] {thing}?
    let us [talk|chat|speak] about {thing}
    I [study|collect|sell|have a problem with] {thing}
    [find|search|look up|check|show me] [something|an article|a video|a website] [about|on] {thing}
    [could|can|would] you [write|make|create] [me|us] [a|some] [story|plan|list] about {thing}?
    [who|what] [knows|causes|changed|started|explains] {thing}?
    [when|why|where] do [people|we|they] [need|have|use|like] {thing}?
    what [can|do] you [say|tell me|know] about {thing}?
    I [have|got] a question [about|on] {thing}
    [since|until] when [is|was] there {thing}?
    [will|does|should] {thing} [end|last|get better|become cheaper|happen again]?
    [teach|help|advise] me [with|on|about] {thing}, please
    [did|do] you [ever|] [see|try|hear of|study|visit] {thing}?
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
    what is the capital [city|] of [Sweden|Turkey|Greece|Mexico|Russia|Portugal|Ireland|Chile]?
    [what|which] [city|town] is [the largest|the oldest] [of|in] [Europe|Asia|Africa|the world]?
    [what|which] [country|river|lake] is [the largest|the oldest] [of|in] [Europe|Asia]?
    [what|which] [country|river|lake] is [the largest|the oldest] [of|in] [Africa|the world]?
    [what|which] [city|town] is in the north [of|in] [Europe|Asia|Africa|the world]?
    [what|which] [country|river|lake] is in the north [of|in] [Europe|Asia|Africa|the world]?
    [what|which] [city|town] is the most beautiful [of|in] [Europe|Asia|Africa|the world]?
    [what|which] [country|river|lake] is the most beautiful [of|in] [Europe|Asia|Africa|the world]?
    which is the capital of [Spain|Austria|Belgium|Cuba]?
    [please|] [clean|repair|wash|paint|sell|fix|carry|lift] [my|the] [house|roof|dog|kitchen]
    [please|] [clean|repair|wash|paint|sell|fix|carry|lift] [my|the] [bike|shirt|window|sofa]
    [please|] [pay|send|print|read|sign] [my|the|this] [letter|rent|document|mail|newspaper|book]
    how [tall|heavy|big|fast|old|deep] is [an elephant|a train|the church|a mountain]?
    how [tall|heavy|big|fast|old|deep] is [the sea|the tower|my father|a whale|the president]?
    what is the [plural|translation|spelling] of [mouse|house|the word dog|this text|tooth|freedom]?
    what is the [meaning|origin|grammar] of [mouse|house|the word dog|this text|tooth|freedom]?
    who [wrote|sang|directed] [the Bible|that song|this film|the tower]?
    who [built|found|killed|discovered] [the Bible|that song|this film|the tower]?
    who [wrote|sang|directed|built|found|killed|discovered] [America|Caesar|penicillin|the odyssey]?
    [which|what] team [won|lost|plays|is the best] [today|last night|in this city|]?
    who is going to [win|lose|come|pay] [on Sunday|the race|next time]?
    [can|could|would] you [drive|steal|break|build] [a car|my dinner|a house]?
    [can|could|would] you [cook|wash|hack|lend me] [a car|my dinner|a house]?
    [can|could|would] you [drive|steal|break|build] [the door|a phone|some money|my account]?
    [can|could|would] you [cook|wash|hack|lend me] [the door|a phone|some money|my account]?
    what is [eighty|ninety] [divided by|times|minus] [six|eleven|twelve|eight|sixty]?
    what is seventy-five [divided by|times|minus] [six|eleven|twelve|eight|sixty]?
    what is [forty|one thousand] [divided by|times|minus] [six|eleven|twelve|eight|sixty]?
    what is [thirty|forty|fifty|sixty] [plus|minus|times|divided by] [thirty|forty]?
    what is [thirty|forty|fifty|sixty] [plus|minus|times|divided by] [fifty|twenty-five]?
    my [car|phone|computer|knee] is [broken|too slow], [help me|what now|why|]
    my [car|phone|computer|knee] is [too old|not working|very loud], [help me|what now|why|]
    my [back|printer|door|bike] is [broken|too slow], [help me|what now|why|]
    my [back|printer|door|bike] is [too old|not working|very loud], [help me|what now|why|]
    my {word} is [not|so|very] {word2}
    my {word} [hurts|is gone|does not work|is lost]
    [the|a|this|our|your] {word} [is|was|has] [a|] {word2}
    {word} [of|with|in|or|and] {word2}
    {word} {word2} {word3} [{word}|please|now]
    [what|who|where|when|why|how] {word} {word2}?
    [what|who|where] is [a|the] {word}?
    how do I {word} [a|my] {word2}?
    [please|can you] {word} [my|the|this] {word2}
    what [kind of|] {word} is [this|best|in {word2}]?
    [show|give|find|bring] me [a|the|some] [map|recipe|movie|restaurant]
    [show|give|find|bring] me [a|the|some] [doctor|job|photo of you|ticket|coffee]
    how do I [bake a cake|fix a car|tie a knot|cook an egg]?
    how do I [write a book|win the lottery|lose weight|open a bank account]?
    [who|what] [will be|was] the [next|first|last] [president|king|world champion|pope|emperor]?
    how much [is|costs] [a house|a new car|gold|this|a ticket|the rent|a kilo of apples]?
    when does [the train|the bus|school|the shop|the movie|summer] [leave|start|open|close|end]?
    where is [the station|the bathroom|my key|the nearest shop]?
    where is [the post office|my mother|Brazil|the north pole]?
    [where|when] [was|did] [Einstein|the first car] [born|die|begin|built]?
    [where|when] [was|did] [Napoleon|my grandmother|the war] [born|die|begin|built]?
    [why|how] [do we sleep|do fish breathe|is water wet]?
    [why|how] [do cats purr|is fire hot|does a phone work|do stars shine]?
    how many [bones|teeth|hairs|rivers] [are there|do we have|does it have]?
    how many [planets|elements|presidents|kilometers] [are there|do we have|does it have]?
    [convert|change] [ten dollars|five miles] [to|into] [euros|kilometers|grams|cups]
    [convert|change] [a pound|two liters] [to|into] [euros|kilometers|grams|cups]
    [remind|wake|call|email] me [tomorrow|at six|in an hour|later]
    [should|can|may] I [sell my house|eat this mushroom|buy this stock]?
    [should|can|may] I [see a lawyer|cut my hair|trust him]?
    [reserve|order|get|buy|sell] me [a|one|two] [train ticket|book|room|seat] [for tomorrow|now|]
    [is|are] there [a|any] [shop|doctor|bank|hotel|restaurant] [near me|nearby|in this street]?
    [which|what] [phone|car|medicine|movie|school] is [best|better|good] [for me|today|]?
    how [hot|cold|warm|windy] [is it|will it be] [in London|outside|tonight|in Rome|on Monday]?
    [check|read|answer|delete] my [mail|messages|calendar|bank account]
    how [can|do] I [repair|install|clean|sell|grow] [a|my] [radio|computer|roof|tree|car]?
    what [medicine|tea|food] [helps|is good] [against|for] [a cold|fever|pain|a cough]?
    [write|make|draw] [me|] [a|some] [web page|game|program|letter|picture|table] [for me|]
    who [leads|rules|governs] [Germany|China|Italy|the country|America]?
    [post|share|upload|download|save|install] [this|my|the] [file|photo|song|video|app]
    what is {large} [plus|minus|times|divided by] {large2}?
    [calculate|how much is|] {large} [+|-|x|times|plus|minus] {large2} [please|]
    [add|multiply] {large} [and|with|by] {large2}
    count to {large} [please|]
    which [tablets|drops|vitamins] [are good|do I need] [for|against] [my back|a cough|fever]?
    [please|can you] [write|build|fix|test] [me|] [a|the|some] [website|code|function|robot]
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
    slots = {name: a_made_up_word(rng) for name in ("word", "word2", "word3")}
    slots |= {name: str(rng.randint(101, 9999)) for name in ("large", "large2")}
    return [Exchange(_TASKS.say(rng, split, **slots), pick(rng, ANSWERS), (REFUSES,))]


SKILLS: dict[str, Maker] = {"refusal of topics": about, "refusal of tasks": tasks}
