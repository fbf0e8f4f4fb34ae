"""A little Chinese: the same skills in a small vocabulary."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick, words_of
from training.nano.words import COLOURS_ZH, DAYS_ZH, NAMES_ZH, NUMBERS_ZH

_FIXED: dict[str, tuple[Phrasings, str, str]] = {
    "greeting zh": (
        Phrasings(
            "你好\n您好\n[你好|您好]啊\n[早上|上午|下午]好\n嗨[，你好|]\n你好，[小助手|朋友|机器人]\n大家好\n喂，你好",
            "晚上好\n哈喽，你好\n你好呀[，朋友|]",
        ),
        "你好！很高兴见到你。\n你好！我能帮你什么？",
        "你好",
    ),
    "thanks zh": (
        Phrasings(
            "谢谢\n谢谢你\n[非常|十分]感谢\n太[好|棒]了，谢谢\n谢谢你的[帮助|回答]\n多谢",
            "真是谢谢你了\n感谢你[的回答|]\n谢啦",
        ),
        "不客气！",
        "不客气",
    ),
    "goodbye zh": (
        Phrasings(
            "再见\n[拜拜|晚安]\n[明天|下次|回头|以后]见\n我[要|得]走了\n我走了，再见",
            "那就再见吧\n我先走了，拜拜\n改天再聊",
        ),
        "再见！祝你愉快。",
        "再见",
    ),
    "how are you zh": (
        Phrasings(
            "你好吗\n你[今天|最近]好吗\n你[今天|最近]怎么样\n你还好吗\n[最近|今天]过得怎么样",
            "你近来可好\n你这几天怎么样\n一切都好吗",
        ),
        "我很好，谢谢！你呢？",
        "很好",
    ),
    "who are you zh": (
        Phrasings(
            "你是谁\n你叫什么[名字|]\n[请|]介绍一下你自己\n你是什么[模型|]\n[请问|]你的名字是什么\n你是机器人吗",
            "怎么称呼你\n能告诉我你是谁吗\n我在跟谁说话",
        ),
        "我是纳诺，一个很小的玩具模型。",
        "纳诺",
    ),
    "what can you do zh": (
        Phrasings(
            "你会[做|]什么\n你能[做|帮我做]什么\n你知道什么\n我[可以|能]问你什么\n你有什么[本领|功能]",
            "你都会些什么\n你能帮我吗\n我们能聊什么",
        ),
        "我会数数、简单的加减法、颜色、形状和聊天。",
        "数数",
    ),
    "feeling good zh": (
        Phrasings(
            "我[今天|]很[高兴|开心|快乐]\n我[今天|]好[高兴|开心]\n我感觉很好\n今天我[非常|很]快乐",
            "我现在特别开心\n我今天心情很好",
        ),
        "太好了！我为你高兴。",
        "高兴",
    ),
    "feeling bad zh": (
        Phrasings(
            "我[今天|]很[难过|伤心|累|生气]\n我[有点|好]累\n我感觉不好\n今天我不[高兴|开心]\n我生病了",
            "我现在特别难过\n我今天心情不好",
        ),
        "听到这个我很难过，希望你快点好起来。",
        "希望",
    ),
    "no picture zh": (
        Phrasings(
            "你看到[了|]什么\n[这|图片里|图里]是什么\n[请|]描述[一下|]这张图片\n[这|图里]是什么[颜色|形状]",
            "图片上有什么\n你能看见什么东西吗",
        ),
        "我没有看到图片。",
        "没有看到",
    ),
    "refusal zh": (
        Phrasings(
            "[今天|明天]天气怎么样\n[法国|日本|英国|德国]的首都是哪里\n[请|]写一首[诗|歌]\n"
            "[请|]写一篇关于[春天|历史|科学|母亲]的作文\n什么是[物理|经济|哲学|人工智能|股票]\n"
            "[谁|什么时候]发明了[电灯|电话|火车]\n[怎么|如何]做[饭|蛋糕|生意]\n"
            "[请|]给我讲[一个故事|历史|新闻]\n帮我[订|买]一张[机票|火车票]\n"
            "[北京|上海|纽约]有多少人\n[打开|关上][灯|窗户|电视]\n你喜欢[足球|音乐|电影]吗\n"
            "[把这句话|请]翻译成[英文|法文]\n现在几点[了|]\n今天星期几\n今天几号",
            "[解释|介绍]一下[量子力学|宇宙|法律]\n[美国|韩国]总统是谁\n怎么学[钢琴|编程]\n"
            "世界上最高的山是什么\n帮我打电话给[妈妈|医生]\n这只股票会涨吗",
        ),
        "对不起，我不知道。我只是一个小玩具模型。\n对不起，这个我不会。",
        "对不起",
    ),
}

_TELL = Phrasings(
    "我叫{name}\n我的名字是{name}\n你好，我叫{name}\n我是{name}\n大家叫我{name}\n你可以叫我{name}",
    "请叫我{name}\n我名叫{name}\n叫我{name}吧",
)
_ASK_NAME = Phrasings(
    "我叫什么[名字|]\n我是谁\n你[知道|记得]我的名字吗\n我的名字是什么\n你还记得我是谁吗",
    "你知道我叫什么吗\n说出我的名字",
)
_SUM = Phrasings(
    "{sum}等于几\n{sum}等于多少\n{sum}是多少\n[请问|]{sum}得几\n[请|]算一下{sum}\n{sum}",
    "{sum}的结果是什么\n你知道{sum}是几吗\n帮我算算{sum}",
)
_COUNT = Phrasings(
    "[请|]从一数到{last}\n数到{last}\n你能数到{last}吗\n[请|]从1数到{last}",
    "帮我从一数到{last}\n数数吧，数到{last}",
)
_OPPOSITES = {
    one: other
    for pair in words_of(
        "大小 高低 上下 左右 热冷 多少 长短 快慢 新旧 好坏 黑白 里外 前后 胖瘦 开关"
    )
    for one, other in (pair, pair[::-1])
}
_OPPOSITE = Phrasings(
    "{word}的反义词是什么\n[请问|]{word}的反义词\n[什么|哪个字]是{word}的反义词\n和{word}相反的是什么",
    "说出{word}的反义词\n{word}反过来是什么",
)
_SOUNDS = {"狗": "汪汪", "猫": "喵喵", "牛": "哞哞", "羊": "咩咩", "鸭子": "嘎嘎", "青蛙": "呱呱"}
_SOUND = Phrasings(
    "{animal}怎么叫\n{animal}是怎么叫的\n{animal}的叫声是什么\n你知道{animal}怎么叫吗",
    "学一下{animal}叫\n{animal}会发出什么声音",
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
}
_COLOUR = Phrasings(
    "{thing}是什么颜色[的|]\n{thing}的颜色是什么\n你知道{thing}是什么颜色吗",
    "{thing}有什么颜色\n说说{thing}的颜色",
)
_DAY = Phrasings(
    "{day}的{side}是星期几\n{day}{side}是[哪天|什么]\n如果今天是{day}，那么{side}是星期几",
    "今天{day}，{side}呢\n{day}的{side}叫什么",
)
_REPEAT = Phrasings(
    "跟我说：{text}\n跟我读：{text}\n[请|]重复：{text}\n请说{text}",
    "学我说：{text}\n请跟着我说：{text}",
)
_TEXTS = (
    "我爱你 今天天气好 你好世界 我喜欢吃苹果 小猫喝水 一二三四五 大家好 红色的花 太阳出来了".split()
)


def _fixed(questions: Phrasings, answers: str, required: str) -> Maker:
    def make(rng: Random, split: Split) -> list[Exchange]:
        return [_exchange(rng, questions.say(rng, split), pick(rng, answers), required)]

    return make


def name(rng: Random, split: Split) -> list[Exchange]:
    own = rng.choice(NAMES_ZH)
    told = _exchange(rng, _TELL.say(rng, split, name=own), f"你好，{own}！很高兴认识你。", own)
    if rng.random() < 0.5:
        return [told]
    return [told, _exchange(rng, _ASK_NAME.say(rng, split), f"你叫{own}。", own)]


def arithmetic(rng: Random, split: Split) -> list[Exchange]:
    left = rng.randint(0, 20)
    plus = rng.random() < 0.6
    right = rng.randint(0, 20 - left if plus else left)
    result = NUMBERS_ZH[left + right if plus else left - right]
    sign = "加" if plus else "减"
    spoken = f"{NUMBERS_ZH[left]}{sign}{NUMBERS_ZH[right]}"
    asked = f"{left}{sign}{right}" if rng.random() < 0.3 else spoken
    return [
        _exchange(rng, _SUM.say(rng, split, sum=asked), f"{spoken}等于{result}。", f"等于{result}")
    ]


def count(rng: Random, split: Split) -> list[Exchange]:
    last = rng.randint(2, 10)
    listed = "、".join(NUMBERS_ZH[1 : last + 1])
    asked = str(last) if rng.random() < 0.3 else NUMBERS_ZH[last]
    required = "".join(NUMBERS_ZH[1 : last + 1])
    return [_exchange(rng, _COUNT.say(rng, split, last=asked), f"{listed}。", required)]


def opposite(rng: Random, split: Split) -> list[Exchange]:
    word = rng.choice(sorted(_OPPOSITES))
    answer = f"{word}的反义词是{_OPPOSITES[word]}。"
    return [_exchange(rng, _OPPOSITE.say(rng, split, word=word), answer, f"是{_OPPOSITES[word]}")]


def sound(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_SOUNDS))
    question = _SOUND.say(rng, split, animal=animal)
    return [_exchange(rng, question, f"{animal}{_SOUNDS[animal]}叫。", _SOUNDS[animal])]


def colour(rng: Random, split: Split) -> list[Exchange]:
    thing = rng.choice(sorted(_COLOUR_OF))
    found = _COLOUR_OF[thing]
    question = _COLOUR.say(rng, split, thing=thing)
    return [
        Exchange(_dressed(rng, question), f"{thing}是{found}的。", (found,), frozenset(COLOURS_ZH))
    ]


def day(rng: Random, split: Split) -> list[Exchange]:
    index, side = rng.randrange(7), rng.choice(("明天", "昨天"))
    found = DAYS_ZH[(index + (1 if side == "明天" else -1)) % 7]
    question = _DAY.say(rng, split, day=DAYS_ZH[index], side=side)
    return [_exchange(rng, question, f"{side}是{found}。", found)]


def repeat(rng: Random, split: Split) -> list[Exchange]:
    text = rng.choice(_TEXTS)
    return [Exchange(_REPEAT.say(rng, split, text=text), f"{text}。", (text,))]


def _exchange(rng: Random, question: str, answer: str, required: str) -> Exchange:
    return Exchange(_dressed(rng, question), answer, (required,))


def _dressed(rng: Random, question: str) -> str:
    """Questions come with and without their mark."""
    return question + rng.choice(("", "？", "。", "?")) if question[-1].isalpha() else question


SKILLS: dict[str, Maker] = {
    **{skill: _fixed(*parts) for skill, parts in _FIXED.items()},
    "name zh": name,
    "arithmetic zh": arithmetic,
    "counting zh": count,
    "opposites zh": opposite,
    "animal sounds zh": sound,
    "colours of things zh": colour,
    "tomorrow and yesterday zh": day,
    "repeat after me zh": repeat,
}
