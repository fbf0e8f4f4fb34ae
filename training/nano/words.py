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
    "Fatima Omar Priya Raj Yuki Kenji Ivan Olga Carlos Lucia Pablo Elena Ahmed Leila Chen Wei Mei"
)
NAMES_ZH = words_of(
    "小明 小红 小李 小王 小张 小刚 小丽 小芳 小华 小强 小美 小文 小云 小雪 小雨 小林 小杰 小龙 "
    "安娜 大卫 玛丽 李雷 王芳 张伟 李娜 刘洋 陈静 杨光 赵敏 周杰"
)
HELD_OUT_NAMES = words_of("Elsa Greta Milo Nico Petra Ruth Stella Tobias Violet Ella")

_STARTS = words_of("b br c ch d dr f g gr h j k l m n p r s sh st t tr v w z")
_MIDDLES = words_of("a e i o u ai ea ia io")
_ENDS = ["", "n", "l", "r", "s", "m", "x", "la", "na", "ra", "ko", "mi", "to", "lia"]


def a_name(rng: Random, *, held_out: bool = False) -> str:
    """A first name; one in three is made up, so that names are copied and not looked up."""
    if held_out:
        return rng.choice(HELD_OUT_NAMES)
    if rng.random() < 1 / 3:
        return a_made_up_word(rng).capitalize()
    return rng.choice(FIRST_NAMES)


def a_made_up_word(rng: Random) -> str:
    """Two syllables that mean nothing."""
    first = rng.choice(_STARTS) + rng.choice(_MIDDLES)
    return first + rng.choice(_STARTS) + rng.choice(_MIDDLES) + rng.choice(_ENDS)


def article(word: str) -> str:
    """The word with "a" or "an" before it."""
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
