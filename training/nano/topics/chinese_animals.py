"""Animals in Chinese: what they say, how many legs they have, where they live."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split
from training.nano.topics.chinese_talk import answered

_SOUNDS = {
    "狗": "汪汪",
    "猫": "喵喵",
    "牛": "哞哞",
    "羊": "咩咩",
    "鸭子": "嘎嘎",
    "青蛙": "呱呱",
    "公鸡": "喔喔",
    "蜜蜂": "嗡嗡",
    "鸟": "叽叽",
}
_LEGS = {
    **dict.fromkeys("狗 猫 牛 羊 马 青蛙 大象".split(), "四条"),
    **dict.fromkeys("鸭子 公鸡 鸟".split(), "两条"),
    **dict.fromkeys("蜜蜂 蚂蚁".split(), "六条"),
    "蜘蛛": "八条",
    **dict.fromkeys("鱼 蛇".split(), "没有"),
}
_HOMES = {
    "鱼": "水里",
    "鸟": "树上",
    **dict.fromkeys("牛 羊 马 公鸡".split(), "农场"),
    "熊": "森林里",
    "青蛙": "池塘里",
    "狮子": "草原上",
}

_SOUND = Phrasings(
    """
    {animal}怎么叫
    {animal}是怎么叫的
    {animal}的叫声是什么
    你知道{animal}怎么叫吗
    [学|模仿|学学|来学]{animal}[叫|的叫声|叫一下|叫一声]
    [你能|你会|请|能不能]学[一下|一学|]{animal}的[叫声|声音][吗|]
    [请|来]学{animal}叫一[下|声]
    {animal}[会|能|可以][怎么叫|叫什么声|怎样叫|发什么声|怎么发出声音]
    {animal}[发出|发出来|发][什么|怎样的]声音
    {animal}[叫起来|叫|的叫声][是什么声音|是什么样|怎么样|像什么|是怎样的]
    [说说|告诉我]{animal}[怎么叫|的叫声]
    {animal}的声音是[什么|怎样的|什么样的]
    听，{animal}[怎么叫|叫什么]
    {animal}[高兴|看到你|饿了|早上][的时候|]怎么[叫|说]
    {animal}[平时|一般|常常][怎么叫|叫什么|发出什么声音]
    """,
    """
    学一下{animal}叫
    {animal}会发出什么声音
    """,
)
_NEXT = Phrasings(
    """
    [那|那么|好的，]{animal}呢
    {animal}[又|]怎么样
    [再说说|换成|现在说]{animal}
    {animal}[是怎样的|怎么说]呢
    [还有|接下来|然后]{animal}
    [那|]{animal}[是不是一样|也一样吗]
    [请|]再[讲讲|告诉我]{animal}
    """,
    """
    如果是{animal}呢
    {animal}也说说
    """,
)
_BY_SOUND = Phrasings(
    """
    [什么|哪种|哪个]动物的叫声是{sound}
    [谁|什么动物]{sound}[地|]叫
    [听到|听见]{sound}，[是|那是][什么动物|谁]
    {sound}是[谁|什么动物|哪种动物]的[叫声|声音]
    [会|发出]{sound}[的|声音的]动物是[什么|谁|哪个]
    [猜猜|你猜|请问]，{sound}是[谁|什么动物]在叫
    [发出|叫着]{sound}的[是谁|是什么动物]
    [我听到了|外面有]{sound}，是[哪种|什么]动物
    [谁|什么动物|哪个动物]会{sound}叫
    """,
    """
    {sound}，这是谁在叫
    叫声是{sound}的动物有哪个
    """,
)
_LEG = Phrasings(
    """
    {animal}[长着|长了][几|多少][条腿|只脚]
    {animal}的[腿|脚]有[几|多少][条|只]
    [数数|数一数|数一下]{animal}的腿
    {animal}用[几|多少]条腿[走路|站着]
    {animal}[一共|总共|到底]有[几|多少][条腿|只脚]
    [一只|]{animal}有多少[条|只][腿|脚]
    你知道{animal}有几[只脚|条腿]吗
    {animal}[有没有腿|有腿吗]
    [请问|告诉我]{animal}有[几|多少][条腿|只脚]
    [画|画一只]{animal}要画[几|多少]条腿
    {animal}[走路|站着]用[几|多少]只脚
    {animal}有[两条还是四条|几条]腿
    """,
    """
    {animal}的腿是几条
    说出{animal}有几条腿
    """,
)
_HOME = Phrasings(
    """
    {animal}[生活|住|睡]在[哪里|什么地方]
    {animal}的家在[哪里|哪儿|什么地方]
    [哪里|什么地方|在哪儿][能|可以][看到|找到|见到]{animal}
    {animal}在[哪里|什么地方|哪儿][住|生活]
    [去哪里|到什么地方][找|看]{animal}
    你知道{animal}[住哪里|的家在哪里]吗
    {animal}[一般|平时|通常]在[哪里|什么地方]
    [请问|告诉我|说说]{animal}住[哪儿|哪里|在什么地方]
    [想看|想见]{animal}[要|得]去[哪里|哪儿]
    [哪里|什么地方]是{animal}的家
    """,
    """
    {animal}的家是什么地方
    要找{animal}该去哪里
    """,
)


def sound(rng: Random, split: Split) -> list[Exchange]:
    first, second = rng.sample(sorted(_SOUNDS), 2)
    exchanges = [_says(rng, _SOUND.say(rng, split, animal=_called(rng, first)), first)]
    if rng.random() < 0.3:
        exchanges.append(_says(rng, _NEXT.say(rng, split, animal=_called(rng, second)), second))
    return exchanges


def by_sound(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_SOUNDS))
    question = _BY_SOUND.say(rng, split, sound=_SOUNDS[animal])
    return [answered(rng, question, f"{animal}{_SOUNDS[animal]}叫。", animal)]


def legs(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_LEGS))
    has = "没有腿" if _LEGS[animal] == "没有" else f"有{_LEGS[animal]}腿"
    question = _LEG.say(rng, split, animal=_called(rng, animal))
    return [answered(rng, question, f"{animal}{has}。", has)]


def home(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_HOMES))
    place = _HOMES[animal]
    question = _HOME.say(rng, split, animal=_called(rng, animal))
    return [answered(rng, question, f"{animal}住在{place}。", place)]


def _called(rng: Random, animal: str) -> str:
    """Often small, if its name is short."""
    return f"小{animal}" if len(animal) == 1 and rng.random() < 0.4 else animal


def _says(rng: Random, question: str, animal: str) -> Exchange:
    return answered(rng, question, f"{animal}{_SOUNDS[animal]}叫。", _SOUNDS[animal])


SKILLS: dict[str, Maker] = {
    "animal sounds zh": sound,
    "animals by sound zh": by_sound,
    "animal legs zh": legs,
    "animal homes zh": home,
}
