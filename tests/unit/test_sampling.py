from __future__ import annotations

import torch

from MiniCPMO45.sampling import GenerationOptions, candidates, draw, penalise


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_penalty_lowers_positive_and_negative_scores_once_per_id():
    scores = torch.tensor([2.0, -2.0, 1.0, 0.0])
    ids = torch.tensor([0, 0, 1, 3])
    expected = torch.tensor([1.0, -4.0, 1.0, 0.0])
    assert torch.equal(penalise(scores, ids, 2.0), expected)


def test_no_ids_leave_scores_as_they_were():
    scores = torch.randn(5)
    assert torch.equal(penalise(scores, torch.tensor([], dtype=torch.long), 1.5), scores)


def kept_ids(scores: torch.Tensor, top_k: int, top_p: float) -> list[int]:
    ranked, ids = candidates(scores, top_k, top_p)
    return ids[ranked.isfinite()].tolist()


def test_top_k_keeps_exactly_k_candidates():
    assert kept_ids(torch.tensor([1.0, 4.0, 2.0, 3.0]), top_k=2, top_p=1.0) == [1, 3]


def test_the_nucleus_keeps_the_candidate_that_crosses_top_p():
    assert kept_ids(torch.log(torch.tensor([0.5, 0.2, 0.3])), top_k=0, top_p=0.6) == [0, 2]


def test_top_p_zero_leaves_the_best_candidate():
    assert kept_ids(torch.tensor([0.1, 0.3, 0.2]), top_k=0, top_p=0.0) == [1]


def test_greedy_takes_the_best_score_and_temperature_zero_is_greedy():
    scores = torch.tensor([0.1, 3.0, 2.0])
    for options in (GenerationOptions(do_sample=False), GenerationOptions(temperature=0.0)):
        assert int(draw(scores, options, generator())) == 1


def test_drawing_is_repeatable_and_follows_the_distribution():
    scores = torch.log(torch.tensor([0.7, 0.2, 0.1]))
    options = GenerationOptions(temperature=1.0, top_k=0, top_p=1.0)
    source = generator(3)
    counts = torch.bincount(
        torch.stack([draw(scores, options, source) for _ in range(3000)]), minlength=3
    )
    assert torch.allclose(counts / 3000, torch.tensor([0.7, 0.2, 0.1]), atol=0.04)
    assert int(draw(scores, options, generator(5))) == int(draw(scores, options, generator(5)))
