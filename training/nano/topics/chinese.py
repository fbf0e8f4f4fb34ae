"""A little Chinese: the same skills in a small vocabulary."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, words_of
from training.nano.topics.chinese_talk import answered, with_mark
from training.nano.words import COLOURS_ZH, DAYS_ZH, NUMBERS_ZH, a_name_zh

_TELL = Phrasings(
    "我叫{name}\n我的名字是{name}\n你好，我叫{name}\n我是{name}\n大家叫我{name}\n你可以叫我{name}"
    "\n[请|你们|你可以|可以|大家都|朋友们|妈妈|他们|别人]叫我{name}[吧|好了|就行|]"
    "\n我[的名字|的姓名|的小名]叫{name}"
    "\n我[名字|姓名]是{name}"
    "\n[我的名|名字|小名]叫{name}"
    "\n[本人|我本人]叫{name}"
    "\n[我|在下]就是{name}"
    "\n我名字叫{name}"
    "\n[你好|嗨|大家好|认识一下]，我[是|名字是|的名字叫]{name}"
    "\n[介绍一下|自我介绍一下]，我[是|叫]{name}"
    "\n{name}是我的名字"
    "\n这里是{name}"
    "\n叫我{name}[就好|就可以了|好吗|]",
    "请叫我{name}\n我名叫{name}\n叫我{name}吧",
)
_ASK_NAME = Phrasings(
    "我叫什么[名字|]\n我是谁\n你[知道|记得]我的名字吗\n我的名字是什么\n你还记得我是谁吗"
    "\n你[知道|记得|还记得|忘了|记住了]我[叫|是][什么|什么名字|谁][吗|]"
    "\n[说|说说|讲|告诉我][我|]的名字[吧|是什么|]"
    "\n[请|]说出我[叫什么|是谁|叫什么名字]"
    "\n[我|本人]的名字[叫|是][什么|啥]"
    "\n我[刚才说|说过]我叫什么"
    "\n[你|]忘了我的名字[吗|]"
    "\n你[该|应该|会]叫我什么"
    "\n我叫[啥|什么来着|什么呢]",
    "你知道我叫什么吗\n说出我的名字",
)
_SUM = Phrasings(
    "{sum}等于几\n{sum}等于多少\n{sum}是多少\n[请问|]{sum}得几\n[请|]算一下{sum}\n{sum}"
    "\n[请|]算[算|一算|][{sum}|一下{sum}等于几]"
    "\n[帮我|请帮我|麻烦你|你来]算[一下|出|一算]{sum}"
    "\n[帮我|请]计算[一下|]{sum}"
    "\n{sum}[得|是|等于][多少|几|什么][呢|啊|]"
    "\n{sum}的[得数|答案|和|值|结果][是多少|是几|呢]"
    "\n{sum}，[结果|答案|得数][是什么|是多少|呢]"
    "\n你[知道|会算|能算出|能告诉我]{sum}[等于几|等于多少|是多少|的答案]吗"
    "\n[告诉我|说说|我想知道]{sum}[是几|等于多少|的答案|是多少]"
    "\n{sum}会是[几|多少]",
    "{sum}的结果是什么\n你知道{sum}是几吗\n帮我算算{sum}",
)
_COUNT = Phrasings(
    "[请|]从一数到{last}\n数到{last}\n你能数到{last}吗\n[请|]从1数到{last}"
    "\n[帮我|给我|为我|替我|你来]数到{last}"
    "\n[帮我|给我|你来]数[一数|数]，[数|]到{last}"
    "\n[请|你能|你会|你可以]从一[开始|][数|一直数]到{last}[吗|]"
    "\n[数数|数一数|数一下|开始数数|来数数]，[从一|]到{last}"
    "\n[数数|我们数数]，从一数到{last}"
    "\n[一直|请|开始]数到{last}[为止|吧|]"
    "\n从[一|1]到{last}[数一遍|数一下|都说出来|数数]"
    "\n[说出|念出]一到{last}",
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
    "{word}的反义词是什么\n[请问|]{word}的反义词\n什么是{word}的反义词\n和{word}相反的是什么"
    "{word}的反义词是什么\n[请问|]{word}的反义词\n哪个字是{word}的反义词\n和{word}相反的是什么"
    "\n[说|说说|告诉我|讲]{word}的反义词[是什么|]"
    "\n[请|你能|]说[一个|]{word}的反义词[吗|]"
    "\n{word}的[相反|反面|反义]是[什么|哪个字]"
    "\n{word}[反过来|相反|倒过来][说|讲|怎么说|呢]"
    "\n{word}[的反义词呢|的反义词是哪个|有什么反义词|的反义词]"
    "\n跟{word}[相反|意思相反]的[字|词]是[什么|哪个]"
    "\n[不{word}|不是{word}]，[反过来|那]是什么"
    "\n你知道{word}的反义词[吗|是什么吗]"
    "\n什么[和|跟]{word}相反",
    "说出{word}的反义词\n{word}反过来是什么",
)
_SOUNDS = {"狗": "汪汪", "猫": "喵喵", "牛": "哞哞", "羊": "咩咩", "鸭子": "嘎嘎", "青蛙": "呱呱"}
_SOUND = Phrasings(
    "{animal}怎么叫\n{animal}是怎么叫的\n{animal}的叫声是什么\n你知道{animal}怎么叫吗"
    "\n[学|模仿|学学|来学]{animal}[叫|的叫声|叫一下|叫一声]"
    "\n[你能|你会|请|能不能]学[一下|一学|]{animal}的[叫声|声音][吗|]"
    "\n[请|来]学{animal}叫一[下|声]"
    "\n{animal}[会|能|可以][怎么叫|叫什么声|怎样叫|发什么声|怎么发出声音]"
    "\n{animal}[发出|发出来|发][什么|怎样的]声音"
    "\n{animal}[叫起来|叫|的叫声][是什么声音|是什么样|怎么样|像什么|是怎样的]"
    "\n[说说|告诉我]{animal}[怎么叫|的叫声]"
    "\n{animal}的声音是[什么|怎样的|什么样的]"
    "\n听，{animal}[怎么叫|叫什么]",
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
    "{thing}是什么颜色[的|]\n{thing}的颜色是什么\n你知道{thing}是什么颜色吗"
    "\n{thing}[的颜色|是][呢|哪种颜色|哪个颜色|什么色]"
    "\n{thing}[有|带|用][哪种|哪些|哪个]颜色"
    "\n{thing}[看起来|看上去|长得]是什么颜色"
    "\n{thing}[会|应该|一般|通常]是什么颜色[呢|的|]"
    "\n[说|告诉我|讲讲|说出|请说]{thing}[的颜色|是什么颜色]"
    "\n[说说|讲一讲]{thing}是[什么|哪种]颜色"
    "\n[什么颜色|哪种颜色]是{thing}的颜色"
    "\n画{thing}[要|该|应该]用什么颜色"
    "\n我[要|想]画{thing}，用什么颜色"
    "\n{thing}，什么颜色",
    "{thing}有什么颜色\n说说{thing}的颜色",
)
_DAY = Phrasings(
    "{day}的{side}是星期几\n{day}{side}是[哪天|什么]\n如果今天是{day}，那么{side}是星期几"
    "\n[今天是|如果今天|要是今天是|现在是]{day}，[那|那么|]{side}[呢|是哪天|是什么|是星期几|是周几]"
    "\n今天{day}，[那|请问|那么]{side}[呢|是哪天|是星期几|是什么日子]"
    "\n[今天是|今天]{day}[，那么|，请问|的话，]{side}是[星期几|哪一天]"
    "\n{day}的{side}[是|是周|又是|会是][几|星期几|哪天|哪一天|什么]"
    "\n{day}的{side}[呢|是什么日子|应该是哪天|怎么叫]"
    "\n{side}是[星期几|哪天]，如果今天是{day}",
    "今天{day}，{side}呢\n{day}的{side}叫什么",
)
_REPEAT = Phrasings(
    "跟我说：{text}\n跟我读：{text}\n[请|]重复：{text}\n请说{text}"
    "\n[学|跟着|跟|和]我[一起|]说：{text}"
    "\n[请|]跟着我[念|读|重复]：{text}"
    "\n[请|][学我|照着我|像我一样]说[一遍|]：{text}"
    "\n[重复|复述|再说一遍|说一遍|念|读]：{text}"
    "\n[请|你|]说[出|一下|]：{text}"
    "\n[请|你能]把这句话[说|念|重复]一遍：{text}"
    "\n[我说|听好了]：{text}"
    "\n你说{text}",
    "学我说：{text}\n请跟着我说：{text}",
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


def arithmetic(rng: Random, split: Split) -> list[Exchange]:
    left = rng.randint(0, 20)
    plus = rng.random() < 0.6
    right = rng.randint(0, 20 - left if plus else left)
    result = NUMBERS_ZH[left + right if plus else left - right]
    sign = "加" if plus else "减"
    spoken = f"{NUMBERS_ZH[left]}{sign}{NUMBERS_ZH[right]}"
    asked = f"{left}{sign}{right}" if rng.random() < 0.3 else spoken
    return [
        answered(rng, _SUM.say(rng, split, sum=asked), f"{spoken}等于{result}。", f"等于{result}")
    ]


def count(rng: Random, split: Split) -> list[Exchange]:
    last = rng.randint(2, 10)
    listed = "、".join(NUMBERS_ZH[1 : last + 1])
    asked = str(last) if rng.random() < 0.3 else NUMBERS_ZH[last]
    required = "".join(NUMBERS_ZH[1 : last + 1])
    return [answered(rng, _COUNT.say(rng, split, last=asked), f"{listed}。", required)]


def opposite(rng: Random, split: Split) -> list[Exchange]:
    word = rng.choice(sorted(_OPPOSITES))
    answer = f"{word}的反义词是{_OPPOSITES[word]}。"
    return [answered(rng, _OPPOSITE.say(rng, split, word=word), answer, f"是{_OPPOSITES[word]}")]


def sound(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_SOUNDS))
    question = _SOUND.say(rng, split, animal=animal)
    return [answered(rng, question, f"{animal}{_SOUNDS[animal]}叫。", _SOUNDS[animal])]


def colour(rng: Random, split: Split) -> list[Exchange]:
    thing = rng.choice(sorted(_COLOUR_OF))
    found = _COLOUR_OF[thing]
    question = _COLOUR.say(rng, split, thing=thing)
    return [
        Exchange(with_mark(rng, question), f"{thing}是{found}的。", (found,), frozenset(COLOURS_ZH))
    ]


def day(rng: Random, split: Split) -> list[Exchange]:
    index, side = rng.randrange(7), rng.choice(("明天", "昨天"))
    found = DAYS_ZH[(index + (1 if side == "明天" else -1)) % 7]
    question = _DAY.say(rng, split, day=DAYS_ZH[index], side=side)
    return [answered(rng, question, f"{side}是{found}。", found)]


def repeat(rng: Random, split: Split) -> list[Exchange]:
    made = rng.choice(_SUBJECTS) + rng.choice(_VERBS) + rng.choice(_OBJECTS)
    text = made if rng.random() < 0.6 else rng.choice(_TEXTS)
    return [Exchange(_REPEAT.say(rng, split, text=text), f"{text}。", (text,))]


SKILLS: dict[str, Maker] = {
    "name zh": name,
    "arithmetic zh": arithmetic,
    "counting zh": count,
    "opposites zh": opposite,
    "animal sounds zh": sound,
    "colours of things zh": colour,
    "tomorrow and yesterday zh": day,
    "repeat after me zh": repeat,
}
