"""Arithmetic and counting in Chinese."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, words_of
from training.nano.topics.chinese_talk import answered
from training.nano.topics.numbers import LARGEST, pair
from training.nano.words import NUMBERS_ZH

_SUM = Phrasings(
    """
    {sum}等于几
    {sum}等于多少
    {sum}是多少
    [请问|]{sum}得几
    [请|]算一下{sum}
    {sum}
    [请|]算[算|一算|][{sum}|一下{sum}等于几]
    [帮我|请帮我|麻烦你|你来]算[一下|出|一算]{sum}
    [帮我|请]计算[一下|]{sum}
    {sum}[得|是|等于][多少|几|什么][呢|啊|]
    {sum}的[得数|答案|和|值|结果][是多少|是几|呢]
    {sum}，[结果|答案|得数][是什么|是多少|呢]
    你[知道|会算|能算出|能告诉我]{sum}[等于几|等于多少|是多少|的答案]吗
    [告诉我|说说|我想知道]{sum}[是几|等于多少|的答案|是多少]
    {sum}会是[几|多少]
    {sum}[一共|总共|到底|应该][是|得|等于][几|多少]
    [老师问|作业是|题目是|下一题|考考你]，{sum}[等于几|是多少|得几|]
    [把|]{sum}[算出来|算给我看|说给我听]
    [你算|算算看|我们算|来算]{sum}
    [那|现在]{sum}[呢|是几]
    {sum}你[会|能]算吗
    """,
    """
    {sum}的结果是什么
    你知道{sum}是几吗
    帮我算算{sum}
    """,
)
_SIGNS = {"加": ("加", "加", "加上", "+"), "减": ("减", "减", "减去", "-"), "乘": ("乘", "乘以")}
_MORE = Phrasings(
    """
    [再|然后|接着|那再]加[上|]{number}
    [再|然后]多{number}个
    如果再加[上|]{number}
    [要是|那]加上{number}[呢|是多少|是几]
    [那|那么|现在|好，][加|再加]{number}[呢|是几|是多少|等于几]
    [又|还]多了{number}[呢|是几|是多少]
    [把它|给它|刚才的数]加{number}
    增加{number}[以后|之后|][是几|是多少|呢]
    """,
    """
    接下来加{number}
    在这上面加{number}
    """,
)
_LESS = Phrasings(
    """
    [再|然后|接着|那再]减[去|掉]{number}
    [再|然后]少{number}个
    如果再[减去|拿走]{number}
    [要是|那]减去{number}[呢|是多少|是几]
    [那|那么|现在|好，][减|再减]{number}[呢|是几|是多少|等于几]
    [又|还]少了{number}[呢|是几|是多少]
    [把它|给它|刚才的数]减{number}
    减少{number}[以后|之后|][是几|是多少|呢]
    """,
    """
    接下来减{number}
    从这里减去{number}
    """,
)
_GAIN = Phrasings(
    """
    {who}有{left}{things}，[又|再|后来]{gain}{right}{unit}，[一共|现在|总共]有[几|多少]{unit}
    {who}[本来|先|原来]有{left}{things}，{gain}{right}{unit}以后[是|有][几|多少]{unit}
    {left}{things}[和|加上]{right}{things}，[一共|总共]是[几|多少]{unit}
    [桌上|这里|家里|篮子里|口袋里]有{left}{things}，[又来了|再放]{right}{unit}，有[几|多少]{unit}
    如果{who}有{left}{things}，{gain}{right}{unit}，那么有[几|多少]{unit}
    {who}[手里|那里]有{left}{things}，{gain}{right}{unit}，[合起来|加起来]有[几|多少]{unit}
    [开始|起先]有{left}{things}，后来[又来|多了]{right}{unit}，[一共|现在][几|多少]{unit}
    {left}{things}，再[来|加|放]{right}{unit}，[一共|总共][几|多少]{unit}
    """,
    """
    {left}{things}再多{right}{unit}是几{unit}
    {who}有{left}{things}，多了{right}{unit}，是几{unit}
    """,
)
_LOSS = Phrasings(
    """
    {who}有{left}{things}，{lose}{right}{unit}，[还有|还剩下|现在有][几|多少]{unit}
    {who}[本来|先|原来]有{left}{things}，{lose}{right}{unit}以后[是|有][几|多少]{unit}
    {left}{things}[少了|拿走]{right}{unit}，[还有|剩下][几|多少]{unit}
    [桌上|这里|家里|篮子里|口袋里]有{left}{things}，[拿走|不见了]{right}{unit}，还有[几|多少]{unit}
    如果{who}有{left}{things}，{lose}{right}{unit}，那么[还有|剩下][几|多少]{unit}
    {who}[手里|那里]有{left}{things}，{lose}{right}{unit}，[剩|留下|还剩][几|多少]{unit}
    [开始|起先]有{left}{things}，后来[走了|拿走]{right}{unit}，[还剩|现在][几|多少]{unit}
    {left}{things}，[拿掉|去掉|减去]{right}{unit}，[剩下|还有][几|多少]{unit}
    """,
    """
    {left}{things}少了{right}{unit}是几{unit}
    {who}有{left}{things}，没了{right}{unit}，是几{unit}
    """,
)
_THINGS = {
    thing: unit
    for unit, things in {
        "个": "苹果 球 橙子 朋友 鸡蛋",
        "本": "书",
        "只": "鸭子 小鸟 小猫 羊",
        "朵": "花",
        "块": "蛋糕 石头 糖",
        "条": "鱼",
    }.items()
    for thing in words_of(things)
}
_PEOPLE = words_of("我 他 妈妈 小明 老师 我们 弟弟")
_GAINED = words_of("找到 买来 拿到 得到 借来")
_LOST = words_of("送走 卖掉 用掉 给别人 吃掉 丢了")

_COUNT = Phrasings(
    """
    [请|]从[一|1]数到{last}
    数到{last}
    你能数到{last}吗
    [帮我|给我|为我|替我|你来]数到{last}
    [帮我|给我|你来]数[一数|数]，[数|]到{last}
    [请|你能|你会|你可以]从一[开始|][数|一直数]到{last}[吗|]
    [数数|数一数|数一下|开始数数|来数数]，[从一|]到{last}
    [数数|我们数数]，从一数到{last}
    [一直|请|开始]数到{last}[为止|吧|]
    从[一|1]到{last}[数一遍|数一下|都说出来|数数]
    [说出|念出]一到{last}
    [我想听你|能不能|可以|你会不会]数到{last}[吗|]
    [慢慢|大声|再]数到{last}
    一、二、三，[数|一直]到{last}
    """,
    """
    帮我从一数到{last}
    数数吧，数到{last}
    """,
)
_RANGE = Phrasings(
    """
    [请|你能|帮我|]从{first}数到{last}[吗|吧|]
    [说出|念出|数一数]{first}到{last}[的数|]
    {first}到{last}，[数一遍|数数|数一下]
    [先说|先数]{first}，[再|一直]数到{last}
    [数|报]数，从{first}[到|开始到]{last}
    [我想听|我要听]{first}到{last}
    从{first}[开始|起]，数到{last}[为止|]
    [可以|能不能|会不会]从{first}数到{last}
    """,
    """
    数数，先是{first}，最后是{last}
    从{first}一直到{last}
    """,
)
_DOWN = Phrasings(
    """
    [请|你能|帮我|]从{last}倒数[到一|][吗|吧|]
    [请|]倒数，[从|]{last}[到一|起]
    {last}到一，[倒过来|反过来|往回]数
    从{last}[往回|往下|反着]数[到一|]
    [来|做]一个从{last}[开始|]的倒数
    [我想听|我要听]从{last}倒数
    [把|]{last}到一倒着[数|念|说][一遍|]
    [可以|能不能|会不会]从{last}倒着数
    [越数越小|一个比一个小]，从{last}[开始|数起]
    """,
    """
    从{last}开始往小数
    倒过来数{last}到一
    """,
)


def arithmetic(rng: Random, split: Split) -> list[Exchange]:
    return [_sum(rng, split, *_terms(rng))]


def follow_up(rng: Random, split: Split) -> list[Exchange]:
    """A sum, and then a number more or less."""
    left, right = rng.randint(0, 10), rng.randint(0, 5)
    adds = rng.random() < 0.6
    change = rng.randint(0, LARGEST - left - right if adds else left + right)
    question = (_MORE if adds else _LESS).say(rng, split, number=_written(rng, change))
    result = NUMBERS_ZH[left + right + (change if adds else -change)]
    following = answered(rng, question, f"等于{result}。", f"等于{result}")
    return [_sum(rng, split, "加", left, right), following]


def story(rng: Random, split: Split) -> list[Exchange]:
    """Somebody has some things, and gets or loses others."""
    gains = rng.random() < 0.5
    left, right = pair(rng, "plus" if gains else "minus")
    thing = rng.choice(sorted(_THINGS))
    unit = _THINGS[thing]
    question = (_GAIN if gains else _LOSS).say(
        rng,
        split,
        who=rng.choice(_PEOPLE),
        things=f"{unit}{thing}",
        unit=unit,
        left=_counted(rng, left),
        right=_counted(rng, right),
        gain=rng.choice(_GAINED),
        lose=rng.choice(_LOST),
    )
    number = left + right if gains else left - right
    result = f"{'两' if number == 2 else NUMBERS_ZH[number]}{unit}"
    return [answered(rng, question, f"{result}。", result)]


def count(rng: Random, split: Split) -> list[Exchange]:
    last = rng.randint(2, 10)
    kind = rng.random()
    asked = _written(rng, last)
    if kind < 0.6:
        return [_listing(rng, _COUNT.say(rng, split, last=asked), range(1, last + 1))]
    if kind < 0.8:
        return [_listing(rng, _DOWN.say(rng, split, last=asked), range(last, 0, -1))]
    first = rng.randint(0, last - 1)
    question = _RANGE.say(rng, split, first=_written(rng, first), last=asked)
    return [_listing(rng, question, range(first, last + 1))]


def _terms(rng: Random) -> tuple[str, int, int]:
    sign = rng.choice("加加加减减乘")
    return (sign, *pair(rng, {"加": "plus", "减": "minus", "乘": "times"}[sign]))


def _sum(rng: Random, split: Split, sign: str, left: int, right: int) -> Exchange:
    results = {"加": left + right, "减": left - right, "乘": left * right}
    result = NUMBERS_ZH[results[sign]]
    spoken = f"{NUMBERS_ZH[left]}{sign}{NUMBERS_ZH[right]}"
    in_digits = rng.random() < 0.35
    written_sign = rng.choice(_SIGNS[sign])
    if written_sign in "+-":
        in_digits = True
    terms = (str(left), str(right)) if in_digits else (NUMBERS_ZH[left], NUMBERS_ZH[right])
    question = _SUM.say(rng, split, sum=written_sign.join(terms))
    return answered(rng, question, f"{spoken}等于{result}。", f"等于{result}")


def _listing(rng: Random, question: str, numbers: range) -> Exchange:
    names = [NUMBERS_ZH[number] for number in numbers]
    return answered(rng, question, f"{'、'.join(names)}。", "".join(names))


def _written(rng: Random, number: int) -> str:
    return str(number) if rng.random() < 0.3 else NUMBERS_ZH[number]


def _counted(rng: Random, number: int) -> str:
    """Before a thing, where two is another word."""
    return "两" if number == 2 and rng.random() < 0.8 else _written(rng, number)


SKILLS: dict[str, Maker] = {
    "arithmetic zh": arithmetic,
    "arithmetic follow-up zh": follow_up,
    "story problems zh": story,
    "counting zh": count,
}
