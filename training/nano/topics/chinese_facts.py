"""What users tell about themselves in Chinese, and ask for afterwards."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, normalised, words_of
from training.nano.topics.chinese_talk import answered, with_mark
from training.nano.topics.facts import Fact, Slots
from training.nano.words import COLOURS_ZH, NUMBERS_ZH, a_name_zh

_NOTED = "好的，我记住了。"
_LIKED = words_of(
    "苹果 香蕉 牛奶 米饭 蛋糕 面条 音乐 足球 看书 画画 跳舞 唱歌 小猫 小狗 大海 雪 月亮 红色的花"
)
_PLACES = words_of("北京 上海 广州 天津 南京 西安 海边 山上 城里 学校旁边 美国 日本 法国")
_COUNTED = words_of("哥哥 弟弟 妹妹 朋友 孩子 苹果 老师")
_PETS = words_of("狗 猫 鸟 鱼 马")
_OWNED = words_of("车 书包 衣服 帽子 杯子 房子 球")


def _likes(rng: Random) -> Slots:
    return {"value": rng.choice(_LIKED)}


def _colour(rng: Random) -> Slots:
    return {"value": rng.choice(COLOURS_ZH)}


def _age(rng: Random) -> Slots:
    number = rng.randint(3, 20)
    digits, value = str(number), NUMBERS_ZH[number]
    return {"asked": rng.choice((digits, value)), "value": value}


def _home(rng: Random) -> Slots:
    return {"value": rng.choice(_PLACES)}


def _number(rng: Random) -> Slots:
    number = rng.randint(3, 10)
    return {"kind": rng.choice(_COUNTED), "value": NUMBERS_ZH[number]}


def _pet(rng: Random) -> Slots:
    return {"kind": rng.choice(_PETS), "value": a_name_zh(rng)}


def _look(rng: Random) -> Slots:
    return {"kind": rng.choice(_OWNED), "value": rng.choice(COLOURS_ZH)}


_FACTS = (
    Fact(
        _likes,
        Phrasings("我[很|特别|最|真的|]喜欢{value}\n{value}是我[最|]喜欢的", "我非常喜欢{value}"),
        Phrasings(
            """
            我[最|]喜欢什么
            我[说|说过]我喜欢[什么|啥]
            你[知道|记得|还记得]我喜欢什么吗
            [告诉我|说说]我喜欢什么
            我喜欢的是什么
            """,
            """
            什么是我喜欢的
            你说我喜欢什么
            """,
        ),
        "你喜欢{value}。",
    ),
    Fact(
        _colour,
        Phrasings("我最[喜欢|爱]的颜色是{value}\n{value}是我最爱的颜色", "我觉得{value}最好看"),
        Phrasings(
            """
            我最[喜欢|爱]的颜色是[什么|哪个|哪种]
            我最[喜欢|爱][哪种|哪个]颜色
            你记得我最爱的颜色吗
            """,
            """
            哪种颜色我最爱
            我觉得什么颜色最好看
            """,
        ),
        "你最喜欢的颜色是{value}。",
    ),
    Fact(
        _age,
        Phrasings("我[今年|]{asked}岁[了|]\n我的年龄是{asked}岁", "我已经{asked}岁了"),
        Phrasings(
            """
            我[今年|]几岁[了|]
            我[今年|]多大[了|]
            我的年龄是[多少|多大]
            你[知道|记得]我[几岁|多大]吗
            """,
            """
            我有几岁
            我是多大年龄
            """,
        ),
        "你{value}岁。",
    ),
    Fact(
        _home,
        Phrasings("我[住|生活]在{value}\n我[的|]家在{value}", "我现在住{value}"),
        Phrasings(
            """
            我[住|生活]在[哪里|哪儿|什么地方]
            我[的|]家在[哪里|哪儿|什么地方]
            你[知道|记得]我住[哪里|哪儿]吗
            """,
            """
            哪里是我的家
            我是住在什么地方的
            """,
        ),
        "你住在{value}。",
    ),
    Fact(
        _number,
        Phrasings("我有{value}个{kind}\n我的{kind}有{value}个", "我一共有{value}个{kind}"),
        Phrasings(
            """
            我有[几|多少]个{kind}
            我[一共|总共|到底]有[几|多少]个{kind}
            我的{kind}有[几|多少]个
            你[知道|记得]我有几个{kind}吗
            """,
            """
            {kind}我有几个
            我说我有多少{kind}
            """,
        ),
        "你有{value}个{kind}。",
    ),
    Fact(
        _pet,
        Phrasings("我的{kind}叫{value}\n我家[的|]{kind}名字是{value}", "我给{kind}起名叫{value}"),
        Phrasings(
            """
            我[的|家的]{kind}叫什么[名字|]
            我[的|家的]{kind}[名字|的名字]是什么
            你[知道|记得]我的{kind}叫什么吗
            """,
            """
            我给{kind}起了什么名字
            我的{kind}该怎么叫
            """,
        ),
        "你的{kind}叫{value}。",
    ),
    Fact(
        _look,
        Phrasings("我的{kind}是{value}的\n我有{value}的{kind}", "我买了{value}的{kind}"),
        Phrasings(
            """
            我的{kind}是什么颜色[的|]
            我的{kind}[颜色是什么|是哪种颜色]
            你[知道|记得]我的{kind}是什么颜色吗
            """,
            """
            什么颜色是我{kind}的颜色
            我的{kind}有什么颜色
            """,
        ),
        "你的{kind}是{value}的。",
    ),
)
_WHAT_I_SAID = Phrasings(
    """
    我[刚刚|刚才][说|讲]了什么
    我说[了|过]什么
    [重复|再说]一遍我[说|讲]的话
    你[记得|知道|听到]我[说|刚才说]了什么吗
    我[前面|上面|上一句][说|讲][了|的是]什么
    我[刚刚|刚才|]的话是什么
    [说说|告诉我]我[刚才|刚刚]说的话
    [刚才|刚刚]我[跟|对]你[说|讲]了什么
    我[刚才|上一句]说的是[哪句话|什么话|什么]
    [请|]把我[说|讲|刚说]的话[再说一遍|说一遍|重复一遍]
    [你能|请|能不能]重复我[的话|说的|刚才说的]
    [还|]记得我[说了|讲了|刚说]什么吗
    我[对你说|告诉你|跟你讲]了什么
    [上一句|前一句]我说[了|的是]什么
    我的[上一句话|最后一句话]是什么
    """,
    """
    我刚才的那句话是什么
    你听到了我说什么
    """,
)


TWO_FACTS_SHARE = 0.5  # of what is asked back, so that it cannot be guessed by its beginning


def told_and_asked(rng: Random, split: Split) -> list[Exchange]:
    fact = rng.choice(_FACTS)
    slots = fact.slots(rng)
    told = Exchange(with_mark(rng, fact.told.say(rng, split, **slots)), _NOTED)
    answer = fact.answer.format(**slots)
    return [told, answered(rng, fact.asked.say(rng, split, **slots), answer, slots["value"])]


def what_did_i_say(rng: Random, split: Split) -> list[Exchange]:
    fact = rng.choice(_FACTS)
    said = fact.told.say(rng, split, **fact.slots(rng))
    if split == "seen" and rng.random() < TWO_FACTS_SHARE:
        other = rng.choice(_FACTS)
        said = f"{said}，{other.told.say(rng, split, **other.slots(rng))}"
    question = _WHAT_I_SAID.say(rng, split)
    return [
        Exchange(said, _NOTED),
        answered(rng, question, f"你说{said}。", normalised(said).replace(" ", "")),
    ]


SKILLS: dict[str, Maker] = {
    "user facts zh": told_and_asked,
    "what did I say zh": what_did_i_say,
}
