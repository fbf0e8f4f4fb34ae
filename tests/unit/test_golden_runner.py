"""The golden runner itself: comparisons, near-ties, skips, requirements, directory layout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.golden import runner
from tests.golden.arrays import DIGEST_FIELDS, Digest, RecordedArrays, digest, stack_padded
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.inputs import build_input, wave
from tests.golden.skips import allowed_skip

RECORDINGS = Path(__file__).parents[1] / "golden" / "data"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An empty checkpoint and one recording of groups 01 and 02."""
    for name in (
        "tiny/config.json",
        "tiny/model.safetensors",
        "cases/01_a.json",
        "cases/02_b.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    return tmp_path


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[CaseResult]]:
    """Results that groups 01 and 02 will report, in place of the real groups."""
    results: dict[str, list[CaseResult]] = {"01": [], "02": []}
    for group, listed in results.items():
        module = ModuleType(f"fake_group_{group}")

        def run(_: Context, listed: list[CaseResult] = listed) -> Iterator[CaseResult]:
            return iter(listed)

        module.run = run  # pyright: ignore[reportAttributeAccessIssue]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(
        runner, "group_modules", lambda: {group: f"fake_group_{group}" for group in results}
    )
    return results


def outcome(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    """Exit status, lines of standard output, standard error."""
    status = runner.main(arguments)
    printed = capsys.readouterr()
    return status, printed.out.splitlines(), printed.err


def test_every_case_has_a_line_and_the_last_line_counts(
    directory: Path, groups: dict[str, list[CaseResult]], capsys: pytest.CaptureFixture[str]
) -> None:
    groups["01"] += [CaseResult("01", "x", "passed", 1e-6, 1e-7), CaseResult("01", "y", "skipped")]
    groups["02"] += [CaseResult("02", "z", "failed", notes=["ids: first difference at 3"])]
    status, lines, _ = outcome([str(directory)], capsys)
    assert status == 1
    assert lines == [
        "passed  01 x: max abs 1.00e-06, relative 1.00e-07",
        "skipped 01 y",
        "failed  02 z: ids: first difference at 3",
        "1 passed, 1 failed, 1 skipped",
    ]


def test_one_group_can_be_chosen(
    directory: Path, groups: dict[str, list[CaseResult]], capsys: pytest.CaptureFixture[str]
) -> None:
    groups["01"].append(CaseResult("01", "x", "failed"))
    groups["02"].append(CaseResult("02", "z", "passed"))
    status, lines, _ = outcome([str(directory), "--group", "02"], capsys)
    assert (status, lines) == (0, ["passed  02 z", "1 passed, 0 failed, 0 skipped"])


def test_json_prints_an_object_a_case(
    directory: Path, groups: dict[str, list[CaseResult]], capsys: pytest.CaptureFixture[str]
) -> None:
    for group, results in groups.items():
        results.append(CaseResult(group, "x", "passed", 1e-6, 1e-7))
    _, lines, _ = outcome([str(directory), "--json"], capsys)
    assert [json.loads(line)["group"] for line in lines[:-1]] == ["01", "02"]
    assert lines[-1] == "2 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize("required", ["01,02", "09"])
def test_a_required_group_that_is_skipped_or_missing_fails(
    required: str,
    directory: Path,
    groups: dict[str, list[CaseResult]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    groups["01"].append(CaseResult("01", "x", "skipped"))
    groups["02"].append(CaseResult("02", "z", "passed"))
    status, _, errors = outcome([str(directory), "--require", required], capsys)
    assert status == 1 and f"required group {required[:2]} did not run" in errors


def test_a_group_that_raises_fails_and_the_next_still_runs(
    directory: Path, groups: dict[str, list[CaseResult]], capsys: pytest.CaptureFixture[str]
) -> None:
    groups["02"].append(CaseResult("02", "z", "passed"))

    def run(_: Context) -> Iterator[CaseResult]:
        raise ValueError("no such weight")

    sys.modules["fake_group_01"].run = run  # pyright: ignore[reportAttributeAccessIssue]
    status, lines, _ = outcome([str(directory)], capsys)
    assert status == 1 and lines[-1] == "1 passed, 1 failed, 0 skipped"
    assert lines[0] == "failed  01 all further cases: stopped by ValueError: no such weight"


def test_a_group_without_cases_fails(
    directory: Path, groups: dict[str, list[CaseResult]], capsys: pytest.CaptureFixture[str]
) -> None:
    groups["02"].append(CaseResult("02", "z", "passed"))
    status, lines, _ = outcome([str(directory)], capsys)
    assert status == 1 and lines[0] == "failed  01 all: the recordings hold no case"


def test_a_group_nobody_tests_is_skipped_with_a_reason(
    directory: Path, groups: dict[str, list[CaseResult]], capsys: pytest.CaptureFixture[str]
) -> None:
    for group, results in groups.items():
        results.append(CaseResult(group, "x", "passed"))
    (directory / "cases" / "77_new.json").write_text("{}")
    status, lines, _ = outcome([str(directory)], capsys)
    assert status == 0 and lines[-2] == "skipped 77 all: no test module covers this group"


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("tiny/config.json", "holds no tiny/config.json"),
        ("tiny/model.safetensors", "holds no tiny/*.safetensors"),
        ("cases", "holds no recordings named cases/NN_*.json"),
    ],
)
def test_another_directory_layout_is_named(
    removed: str, message: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / removed).rename(directory / "elsewhere")
    status, lines, errors = outcome([str(directory)], capsys)
    assert (status, lines) == (2, []) and message in errors


def test_a_group_that_is_not_recorded_cannot_be_chosen(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, errors = outcome([str(directory), "--group", "03"], capsys)
    assert status == 2 and "holds no recordings of group 03" in errors


def test_every_recorded_group_has_a_module_or_a_reason() -> None:
    from tests.golden.skips import OPEN_GROUPS

    assert set(Context(RECORDINGS).groups()) == set(runner.group_modules()) | set(OPEN_GROUPS)


def test_only_listed_cases_and_entries_with_an_error_may_be_skipped() -> None:
    assert allowed_skip("07", "anything") is None
    assert allowed_skip("07", "anything", {"error": None}) is None
    assert allowed_skip("07", "anything", {"error": "ValueError"}) is not None
    assert allowed_skip("11", "second_session_plain") is not None
    assert allowed_skip("11", "second_session_clean") is None


def case() -> Case:
    return Case("00", "case")


def test_a_number_out_of_tolerance_fails_with_its_place() -> None:
    compared = case()
    assert not compared.close("x", np.zeros((2, 3)), [[0, 0, 0], [0, 0.5, 0]], absolute=1e-3)
    result = compared.result()
    assert result.status == "failed" and result.max_absolute == 0.5
    assert result.notes == ["x: off by 5.00e-01 at (1, 1), 1e-03 allowed"]


def test_not_a_number_never_passes() -> None:
    assert not case().close("x", np.zeros(2), [0.0, np.nan], absolute=1.0)


def test_equal_infinities_pass() -> None:
    assert case().close("x", np.array([-np.inf, 1.0]), [-np.inf, 1.0], absolute=1e-6)


def test_another_shape_fails() -> None:
    assert not case().close("x", np.zeros(3), np.zeros(4), absolute=1.0)


def test_parts_of_a_whole_array_are_padded_with_zeros() -> None:
    recorded = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]])
    assert case().close("x", recorded, [np.array([1.0, 2.0, 3.0]), np.array([4.0])], absolute=0)


@pytest.mark.parametrize("size", [1, 40, 64, 65, 5000])
def test_a_digest_equals_that_of_the_same_array(size: int) -> None:
    values = np.random.default_rng(0).normal(size=(size, 2))
    assert case().close("x", digest(values), values, absolute=1e-12)


@pytest.mark.parametrize("place", [0, 1, 2500, 4999])
def test_a_digest_notices_a_large_change_anywhere(place: int) -> None:
    values = np.random.default_rng(0).normal(size=5000)
    changed = values.copy()
    changed[place] += 10.0
    assert not case().close("x", digest(values), changed, absolute=1e-4)


def test_a_digest_of_parts_is_compared_part_by_part() -> None:
    parts = [np.arange(3000.0), np.arange(10.0)]
    digests = [digest(part) for part in parts]
    fields = {
        field: stack_padded([getattr(one, field) for one in digests]) for field in DIGEST_FIELDS
    }
    stacked = Digest(**{**fields, "shape": fields["shape"].astype(np.int64)})
    assert case().close("x", stacked, parts, absolute=1e-9)
    assert not case().close("x", stacked, parts[:1], absolute=1e-9)
    assert not case().close("x", stacked, [parts[0], parts[1] + 1], absolute=1e-9)


def test_stored_digests_and_whole_arrays_come_back_by_name(tmp_path: Path) -> None:
    values = np.arange(6.0)
    stored = {f"a.{field}": getattr(digest(values), field) for field in DIGEST_FIELDS}
    np.savez(tmp_path / "x.npz", allow_pickle=False, **stored, **{"b.first": values})
    arrays = RecordedArrays(tmp_path / "x.npz")
    assert list(arrays) == ["a", "b.first"] and "a" in arrays and "b" not in arrays
    assert isinstance(arrays["a"], Digest) and arrays.whole("b.first").tolist() == values.tolist()
    with pytest.raises(KeyError, match="only a digest"):
        arrays.whole("a")
    with pytest.raises(KeyError, match="no array 'c'"):
        arrays["c"]


def test_the_first_differing_id_is_reported() -> None:
    compared = case()
    assert not compared.ids("ids", [1, 2, 3, 4], [1, 2, 9, 4], top2_gaps=[1.0, 1.0, 0.5, 1.0])
    result = compared.result()
    assert result.status == "failed"
    assert "first difference at 2" in result.notes[0] and "recorded [3, 4]" in result.notes[0]


@pytest.mark.parametrize(("gap", "status"), [(9e-4, "passed"), (1e-3, "failed")])
def test_a_near_tie_at_the_first_difference_ends_the_run_without_failing(
    gap: float, status: str
) -> None:
    compared = case()
    assert not compared.ids("ids", [1, 2, 3], [1, 9, 8], top2_gaps=[1.0, gap, 1.0])
    result = compared.result()
    assert result.status == status
    assert ("near-tie at 1" in str(result)) == (status == "passed")


def test_a_missing_id_is_a_difference() -> None:
    assert not case().ids("ids", [1, 2, 3], [1, 2])
    assert not case().ids("ids", [1, 2], [1, 2, 3])


def test_inputs_are_built_from_their_names() -> None:
    whole = wave(1, 3)
    second = build_input({"wave": 1, "seconds_total": 3, "second": 1})
    piece = build_input({"wave": 1, "seconds_total": 3, "samples": [100, 20_000]})
    image = build_input([{"picture": 2, "width": 30, "height": 20}, "text"])
    assert np.array_equal(second, whole[16_000:32_000])
    assert np.array_equal(piece, whole[100:20_000])
    assert image[0].size == (30, 20) and image[1] == "text"
