from __future__ import annotations

from benchmarks.speech import Spoken


def test_pieces_in_time_make_no_gap():
    assert Spoken([0.1, 1.2, 2.2], [1.0, 1.0, 1.0], total_s=2.3).gaps == 0


def test_a_piece_that_comes_too_late_is_one_gap_and_the_rest_follows_from_there():
    # played until 0.1 + 0.2 + 1.0; the second comes at 1.5 and plays until 2.5
    assert Spoken([0.1, 1.5, 2.4], [1.0, 1.0, 1.0], total_s=2.5).gaps == 1
