"""Phones in time: frames hold what is said in their middle, whichever engine says it."""

from __future__ import annotations

import numpy as np

from training.nano.flite import _phones
from training.nano.phones import N_CLASSES, NO_PHONES, SILENCE, Phones


def test_a_frame_has_the_phone_of_its_middle() -> None:
    phones = Phones.of([(0.02, "w"), (0.05, "V"), (0.1, "_:"), (0.14, "t")])
    (w, v, silence, t) = phones.classes
    assert silence == SILENCE
    assert len({w, v, silence, t}) == 4
    assert all(0 <= index < N_CLASSES for index in phones.classes)
    assert phones.in_frames(9).tolist() == [SILENCE, w, v, v, v, SILENCE, SILENCE, t, t]


def test_what_is_said_later_moves_by_as_many_frames() -> None:
    phones = Phones.of([(0.0, "w"), (0.1, "V")])
    moved = phones.later(0.06).in_frames(20)
    assert np.array_equal(moved[3:], phones.in_frames(17))
    assert not moved[:3].any()
    assert np.array_equal(phones.later(-0.04).in_frames(8), phones.in_frames(10)[2:])


def test_sentences_follow_one_another_with_silence_between() -> None:
    first, second = (Phones.of([(0.0, name), (0.04, "")]) for name in "wt")
    joined = Phones.joined([first, second.later(0.1)])
    (w, *_), (t, *_) = first.classes, second.classes
    expected = [w, w, SILENCE, SILENCE, SILENCE, t, t, SILENCE]
    assert joined.in_frames(8).tolist() == expected
    assert not NO_PHONES.in_frames(5).any()


def test_stress_and_length_make_no_other_phone() -> None:
    assert len(set(Phones.of([(0.0, "'i:"), (0.1, ",i"), (0.2, "i")]).classes)) == 1


def test_both_engines_name_phones_alike() -> None:
    flite = _phones("pau:0.224 w:0.296 ah:0.375 t:0.408 pau:0.5 \n")
    espeak = Phones.of([(0.224, "w"), (0.296, ",V"), (0.375, "t"), (0.408, "_:")])
    assert np.array_equal(flite.in_frames(30), espeak.in_frames(30))
