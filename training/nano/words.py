"""Word lists that several topics share."""

from __future__ import annotations

from random import Random

from training.nano.phrasing import words_of

NUMBERS = words_of(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)
_DIGITS_ZH = "一二三四五六七八九"
NUMBERS_ZH = ["零", *_DIGITS_ZH, "十", *(f"十{digit}" for digit in _DIGITS_ZH), "二十"]

COLOURS = words_of("red green blue yellow orange purple black white grey pink brown")
COLOURS_ZH = words_of("红色 绿色 蓝色 黄色 橙色 紫色 黑色 白色 灰色 粉色 棕色")

DAYS = words_of("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
DAYS_ZH = words_of("星期一 星期二 星期三 星期四 星期五 星期六 星期天")
MONTHS = words_of(
    "January February March April May June July August September October November December"
)

FIRST_NAMES = words_of(
    "Anna Ben Clara David Emma Felix Grace Henry Ida Jack Kate Leo Mia Noah Olivia Paul Quinn Rose "
    "Sam Tina Uma Victor Wendy Xavier Yara Zoe Alice Bob Carol Daniel Eva Frank Gina Hugo Irene "
    "James Karen Lucas Maria Nina Oscar Peter Rita Simon Tom Ursula Vera Walter Maya John Lisa "
    "Michael Sarah Robert Laura Kevin Julia Martin Helen Max Sophie Alex Chris Nora Adam Amy Eric "
    "Fiona George Hannah Ian Jane Kim Linda Mark Nancy Oliver Patrick Rachel Steve Theo Vincent "
    "Fatima Omar Priya Raj Yuki Kenji Ivan Olga Carlos Lucia Pablo Elena Ahmed Leila Chen Wei Mei "
    "Bruno Clemens Dora Edgar Freya Gustav Heidi Ingrid Jonas Klara Lars Magnus Nils Otto Pia "
    "Rolf Sven Thea Ulla Viktor Wanda Yvonne Zara Andrew Brian Cindy Diane Elliot Frances "
    "Gloria Howard Isaac Joyce Keith Louis Marcus Norman Opal Pamela Ralph Sandra Trevor Una "
    "Valerie Wayne Abby Bella Cora Dana Ellen Faith Gwen Hope Iris Jenny Kelly Lily Molly "
    "Nelly Olive Penny Robin Sally Tessa Vince Willa Mateo Diego Sofia Camila Hassan Amina "
    "Khalid Noor Arjun Divya Sanjay Hiro Aiko Sakura Minho Jisoo Dmitri Tanya Boris Nadia "
    "Stefan Mirela Andrei Kofi Ama Kwame Zuri Tariq Selim"
)
NAMES_ZH = words_of(
    "小明 小红 小李 小王 小张 小刚 小丽 小芳 小华 小强 小美 小文 小云 小雪 小雨 小林 小杰 小龙 "
    "阿明 阿红 老王 老李 小陈 小周 小吴 小孙 小马 小高 小月 小星 小春 小冬 小海 小天 小青 小白 "
    "安娜 大卫 玛丽 李雷 王芳 张伟 李娜 刘洋 陈静 杨光 赵敏 周杰"
)
HELD_OUT_NAMES = words_of("Elsa Greta Milo Nico Petra Ruth Stella Tobias Violet Ella")

_PLURALS = {"mouse": "mice", "sheep": "sheep", "fish": "fish", "wolf": "wolves", "leaf": "leaves"}

_STARTS = words_of(
    "b br c ch cl d dr f fl g gr h j k kr l m n p pl qu r s sh sl st t th tr v w y z"
)
_MIDDLES = words_of("a e i o u ai ea ee ia ie io oa oo ou y")
_ENDS = words_of(
    "n l r s m x t d k la na ra ko mi to lia ck nd sh ston ty by ster ine ette a o i e"
)


def a_name(rng: Random, *, held_out: bool = False) -> str:
    """A first name; every other one is made up, so that names are copied and not looked up."""
    if held_out:
        return rng.choice(HELD_OUT_NAMES)
    while rng.random() < 0.5:
        name = a_made_up_word(rng).capitalize()
        if name not in HELD_OUT_NAMES:
            return name
    return rng.choice(FIRST_NAMES)


def a_name_zh(rng: Random) -> str:
    """A name in Chinese characters; some are put together from the parts of others."""
    if rng.random() < 0.5:
        return rng.choice(NAMES_ZH)
    return rng.choice(NAMES_ZH)[0] + rng.choice(NAMES_ZH)[-1]


def a_made_up_word(rng: Random) -> str:
    """One to three syllables that mean nothing."""
    syllables = rng.choice((1, 2, 2, 2, 3))
    word = "".join(rng.choice(_STARTS) + rng.choice(_MIDDLES) for _ in range(syllables))
    return word + rng.choice(_ENDS) if syllables == 1 or rng.random() < 0.6 else word


def written_number(rng: Random, number: int) -> str:
    """A number up to twenty in letters or in digits."""
    return str(number) if rng.random() < 0.4 else NUMBERS[number]


def plural(word: str) -> str:
    """Several of what a noun names."""
    if word in _PLURALS:
        return _PLURALS[word]
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh", "o")) else f"{word}s"


def article(word: str) -> str:
    """The word with "a" or "an" before it."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
