"""A little Chinese: the same skills in a small vocabulary."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, words_of
from training.nano.topics.chinese_talk import answered, with_mark
from training.nano.words import COLOURS_ZH, DAYS_ZH, a_name_zh

_TELL = Phrasings(
    """
    我叫{name}
    我的名字是{name}
    你好，我叫{name}
    我是{name}
    大家叫我{name}
    你可以叫我{name}
    [请|你们|你可以|可以|大家都|朋友们|妈妈|他们|别人]叫我{name}[吧|好了|就行|]
    我[的名字|的姓名|的小名]叫{name}
    我[名字|姓名]是{name}
    [我的名|名字|小名]叫{name}
    [本人|我本人]叫{name}
    [我|在下]就是{name}
    我名字叫{name}
    [你好|嗨|大家好|认识一下]，我[是|名字是|的名字叫]{name}
    [介绍一下|自我介绍一下]，我[是|叫]{name}
    {name}是我的名字
    这里是{name}
    叫我{name}[就好|就可以了|好吗|]
    [大家好|嗨|哈喽|你好|您好]，{name}[来了|在这里|向你问好]
    我是[新来的|你的朋友|从北京来的|学生]{name}
    我的[中文|]名[字|]叫{name}
    [记住|请记住|告诉你]，我[叫|是]{name}
    [爸爸妈妈|同学|老师|家里人][都|]叫我{name}
    {name}[，这是我的名字|，很高兴见到你|就是我]
    """,
    """
    请叫我{name}
    我名叫{name}
    叫我{name}吧
    """,
)
_ASK_NAME = Phrasings(
    """
    我叫什么[名字|]
    我是谁
    你[知道|记得]我的名字吗
    我的名字是什么
    你还记得我是谁吗
    你[知道|记得|还记得|忘了|记住了]我[叫|是][什么|什么名字|谁][吗|]
    [说|说说|讲|告诉我][我|]的名字[吧|是什么|]
    [请|]说出我[叫什么|是谁|叫什么名字]
    [我|本人]的名字[叫|是][什么|啥]
    我[刚才说|说过]我叫什么
    [你|]忘了我的名字[吗|]
    你[该|应该|会]叫我什么
    我叫[啥|什么呢]
    [现在|那|请问|考考你，]我[叫|是][谁|什么名字]
    你[能|可以|会]说出我的名字吗
    [刚才|前面]我说我叫什么
    你在跟谁[说话|聊天|讲话]
    我[该|应该]叫什么
    """,
    """
    你知道我叫什么吗
    说出我的名字
    """,
)
_OPPOSITES = {
    one: other
    for pair in words_of(
        "大小 高低 上下 左右 热冷 多少 长短 快慢 新旧 好坏 黑白 里外 前后 胖瘦 开关 "
        "远近 早晚 来去 哭笑 软硬 进出 老少 美丑 真假 男女"
    )
    for one, other in (pair, pair[::-1])
}
_OPPOSITE = Phrasings(
    """
    {word}的反义词是什么
    [请问|]{word}的反义词
    什么是{word}的反义词
    哪个字是{word}的反义词
    和{word}相反的是什么
    [说|说说|告诉我|讲]{word}的反义词[是什么|]
    [请|你能|]说[一个|]{word}的反义词[吗|]
    {word}的[相反|反面|反义]是[什么|哪个字]
    {word}[反过来|相反|倒过来][说|讲|怎么说|呢]
    {word}[的反义词呢|的反义词是哪个|有什么反义词|的反义词]
    跟{word}[相反|意思相反]的[字|词]是[什么|哪个]
    [不{word}|不是{word}]，[反过来|那]是什么
    你知道{word}的反义词[吗|是什么吗]
    什么[和|跟]{word}相反
    {word}的对面是[什么|哪个字]
    [如果|要是]不{word}，[那|]就是[什么|怎么样]
    [找|给我|想]一个[跟|和]{word}相反的[字|词]
    {word}[对|对应]什么
    [反义词|说反义词]：{word}
    [我说|听到]{word}，你说[什么|反义词]
    """,
    """
    说出{word}的反义词
    {word}反过来是什么
    """,
)
_COLOUR_OF = {
    "天空": "蓝色",
    "草": "绿色",
    "雪": "白色",
    "香蕉": "黄色",
    "血": "红色",
    "太阳": "黄色",
    "树叶": "绿色",
    "煤": "黑色",
    "橙子": "橙色",
    "葡萄": "紫色",
    "牛奶": "白色",
    "柠檬": "黄色",
    "西红柿": "红色",
    "大海": "蓝色",
    "巧克力": "棕色",
    "大象": "灰色",
    "夜晚": "黑色",
    "苹果": "红色",
}
_COLOUR = Phrasings(
    """
    {thing}是什么颜色[的|]
    {thing}的颜色是什么
    你知道{thing}是什么颜色吗
    {thing}[的颜色|是][呢|哪种颜色|哪个颜色|什么色]
    {thing}[有|带|用][哪种|哪些|哪个]颜色
    {thing}[看起来|看上去|长得]是什么颜色
    {thing}[会|应该|一般|通常]是什么颜色[呢|的|]
    [说|告诉我|讲讲|说出|请说]{thing}[的颜色|是什么颜色]
    [说说|讲一讲]{thing}是[什么|哪种]颜色
    [什么颜色|哪种颜色]是{thing}的颜色
    画{thing}[要|该|应该]用什么颜色
    我[要|想]画{thing}，用什么颜色
    {thing}，什么颜色
    {thing}[到底|平时|多半]是[哪种|什么]颜色
    [要|想]画{thing}，[拿|选]什么颜色
    你觉得{thing}是什么颜色
    [看|想]一下{thing}，[它|那]是什么颜色
    """,
    """
    {thing}有什么颜色
    说说{thing}的颜色
    """,
)
_COLOUR_NEXT = Phrasings(
    """
    [那|那么|好的，]{thing}呢
    {thing}[又|]是什么颜色
    [再说说|换成|现在说]{thing}
    {thing}[是什么颜色的|的颜色]呢
    [还有|接下来|然后]{thing}
    [那|]{thing}[怎么样|是不是一样]
    [请|]再[讲讲|告诉我]{thing}
    """,
    """
    如果是{thing}呢
    {thing}也说说
    """,
)
_COLOUR_CHECK = Phrasings(
    """
    {thing}[真的|]是{colour}[的|]吗
    {thing}是{colour}[的|]，对[吗|不对|吧]
    {thing}是不是{colour}的
    [我觉得|他说|有人说]{thing}是{colour}的，对吗
    [难道|]{colour}是{thing}的颜色吗
    {thing}[应该|会|可能]是{colour}的吗
    [听说|书上说|我看]{thing}是{colour}[的|]，[对不对|是吗|是真的吗]
    {thing}的颜色是{colour}[吗|，对吗|对不对]
    {colour}的{thing}[对吗|是对的吗]
    [告诉我|请问]{thing}是{colour}的吗
    """,
    """
    你同意{thing}是{colour}的吗
    说{thing}是{colour}的，这对吗
    """,
)
_NEXT_DAY = Phrasings(
    """
    {day}[之后|以后|过后]是[星期几|周几|哪天]
    {day}的[下|后]一天[是|叫][什么|星期几|哪天]
    [过了|过完]{day}[是|就是|，接着是][星期几|哪天]
    [排在|紧跟]{day}后边的是[星期几|哪天]
    [什么|哪一]天在{day}[的|]后面
    [比|]{day}晚一天[是|的是][星期几|哪天|周几]
    {day}后[一天|面][是|那天是][哪天|星期几]
    {day}的明天是[星期几|哪天]
    """,
    """
    {day}接下来是哪天
    在{day}之后的是星期几
    """,
)
_LAST_DAY = Phrasings(
    """
    {day}[之前|以前]是[星期几|周几|哪天]
    {day}的[上|前]一天[是|叫][星期几|哪天]
    [排在|就在]{day}前边的是[星期几|哪天]
    [什么|哪一]天在{day}[的|]前面
    [比|]{day}早一天[是|的是][星期几|哪天|周几]
    {day}前[一天|面][是|那天是][哪天|星期几]
    [过完|过了]哪天[是|就是|才是]{day}
    """,
    """
    {day}往前一天是哪天
    在{day}之前的是星期几
    """,
)
_HOW_MANY = Phrasings(
    """
    [一|每][周|个星期]有多少天
    [一|每]周[总共|一共|]有几天
    一[周|个星期]是几天
    [几|多少]天是一[周|个星期]
    [一周|一个星期|一星期]里[面|]有[几|多少]天
    [请问|你知道|告诉我][一周|一星期]有[几|多少]天[吗|]
    [过|要过][几|多少]天才[是|到|满]一[周|个星期]
    [一周|一个星期]等于[几|多少]天
    """,
    """
    一周的天数是多少
    一个星期由几天组成
    """,
)
_DAY = Phrasings(
    """
    {day}的{side}是星期几
    {day}{side}是[哪天|什么]
    如果今天是{day}，那么{side}是星期几
    [今天是|如果今天|要是今天是|现在是]{day}，[那|那么|]{side}[呢|是哪天|是什么|是星期几|是周几]
    今天{day}，[那|请问|那么]{side}[呢|是哪天|是星期几|是什么日子]
    [今天是|今天]{day}[，那么|，请问|的话，]{side}是[星期几|哪一天]
    {day}的{side}[是|是周|又是|会是][几|星期几|哪天|哪一天|什么]
    {day}的{side}[呢|是什么日子|应该是哪天|怎么叫]
    {side}是[星期几|哪天]，如果今天是{day}
    [日历上|我看]今天是{day}，{side}[应该|]是[星期几|周几]
    今天是{day}，你知道{side}是[星期几|周几|哪天]吗
    {side}[是|应该是]哪天，今天是{day}
    """,
    """
    今天{day}，{side}呢
    {day}的{side}叫什么
    """,
)
_REPEAT = Phrasings(
    """
    跟我说：{text}
    跟我读：{text}
    [请|]重复：{text}
    请说{text}
    [学|跟着|跟|和]我[一起|]说：{text}
    [请|]跟着我[念|读|重复]：{text}
    [请|][学我|照着我|像我一样]说[一遍|]：{text}
    [重复|复述|再说一遍|说一遍|念|读]：{text}
    [请|你|]说[出|一下|]：{text}
    [请|你能]把这句话[说|念|重复]一遍：{text}
    [我说|听好了]：{text}
    你说{text}
    [来|现在]，[说|念|读]：{text}
    [大声|慢慢|再|照样][说|念]：{text}
    [我想听你|你来|轮到你]说：{text}
    {text}，[你也说|你来说|跟我念]
    说“{text}”
    """,
    """
    学我说：{text}
    请跟着我说：{text}
    """,
)
_TEXTS = words_of(
    "我爱你 今天天气好 你好世界 我喜欢吃苹果 小猫喝水 一二三四五 大家好 红色的花 太阳出来了 "
    "早上好 我要回家 朋友来了 小狗跑得快 天上有月亮 妈妈做饭 春天到了 我们去学校 白色的雪"
)
_SUBJECTS = words_of("我 你 他 小猫 小狗 妈妈 老师 朋友 小鸟 弟弟 太阳 爸爸")
_VERBS = words_of("喜欢 看到 想要 吃了 画 找到 送给我 有 拿着 不要")
_OBJECTS = words_of("苹果 一本书 红色的花 牛奶 月亮 米饭 一只鸭子 大树 雪 三个球 水 蓝色的车")


def name(rng: Random, split: Split) -> list[Exchange]:
    own = a_name_zh(rng)
    told = answered(rng, _TELL.say(rng, split, name=own), f"你好，{own}！很高兴认识你。", own)
    if rng.random() < 0.5:
        return [told]
    return [told, answered(rng, _ASK_NAME.say(rng, split), f"你叫{own}。", own)]


def opposite(rng: Random, split: Split) -> list[Exchange]:
    word = rng.choice(sorted(_OPPOSITES))
    answer = f"{word}的反义词是{_OPPOSITES[word]}。"
    return [answered(rng, _OPPOSITE.say(rng, split, word=word), answer, f"是{_OPPOSITES[word]}")]


def colour(rng: Random, split: Split) -> list[Exchange]:
    first, second = rng.sample(sorted(_COLOUR_OF), 2)
    exchanges = [_coloured(rng, _COLOUR.say(rng, split, thing=first), first)]
    if rng.random() < 0.3:
        exchanges.append(_coloured(rng, _COLOUR_NEXT.say(rng, split, thing=second), second))
    return exchanges


def colour_check(rng: Random, split: Split) -> list[Exchange]:
    thing = rng.choice(sorted(_COLOUR_OF))
    right = _COLOUR_OF[thing]
    claimed = right if rng.random() < 0.5 else rng.choice(COLOURS_ZH)
    word = "是的" if claimed == right else "不是"
    question = with_mark(rng, _COLOUR_CHECK.say(rng, split, thing=thing, colour=claimed))
    family = frozenset({"是的", "不是"})
    return [Exchange(question, f"{word}，{thing}是{right}。", (word,), family)]


def neighbouring_day(rng: Random, split: Split) -> list[Exchange]:
    if rng.random() < 0.15:
        return [answered(rng, _HOW_MANY.say(rng, split), "一个星期有七天。", "七天")]
    index, step = rng.randrange(7), rng.choice((1, -1))
    side, questions = ("之后", _NEXT_DAY) if step == 1 else ("之前", _LAST_DAY)
    found = DAYS_ZH[(index + step) % 7]
    question = questions.say(rng, split, day=_said_day(rng, index))
    return [answered(rng, question, f"{DAYS_ZH[index]}{side}是{found}。", f"是{found}")]


def day(rng: Random, split: Split) -> list[Exchange]:
    index, side = rng.randrange(7), rng.choice(("明天", "昨天"))
    found = DAYS_ZH[(index + (1 if side == "明天" else -1)) % 7]
    question = _DAY.say(rng, split, day=_said_day(rng, index), side=side)
    return [answered(rng, question, f"{side}是{found}。", found)]


def repeat(rng: Random, split: Split) -> list[Exchange]:
    made = rng.choice(_SUBJECTS) + rng.choice(_VERBS) + rng.choice(_OBJECTS)
    text = made if rng.random() < 0.6 else rng.choice(_TEXTS)
    return [Exchange(_REPEAT.say(rng, split, text=text), f"{text}。", (text,))]


def _coloured(rng: Random, question: str, thing: str) -> Exchange:
    found = _COLOUR_OF[thing]
    answer = f"{thing}是{found}的。"
    return Exchange(with_mark(rng, question), answer, (found,), frozenset(COLOURS_ZH))


def _said_day(rng: Random, index: int) -> str:
    """A day by one of the three words for week."""
    return DAYS_ZH[index].replace("星期", rng.choice(("星期", "星期", "周", "礼拜")))


SKILLS: dict[str, Maker] = {
    "name zh": name,
    "opposites zh": opposite,
    "colours of things zh": colour,
    "checked colours zh": colour_check,
    "neighbouring days zh": neighbouring_day,
    "tomorrow and yesterday zh": day,
    "repeat after me zh": repeat,
}
