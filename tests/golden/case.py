"""Comparing one recorded case and reporting it.

A group builds a ``Case``, calls its checks in any order and yields ``case.result()``::

    case = Case("03", "im0.s1")
    case.equal("tgt_sizes", recorded_sizes, sizes)
    case.close("encoder", context.arrays("03_vision")["im0.s1.encoder"], parts, absolute=1e-4)
    if case.ids("generated_ids", run["generated_ids"], ids, top2_gaps=gaps):
        case.equal("answer", run["answer"], answer.text)
    yield case.result()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tests.golden.arrays import Digest, digest, stack_padded
from tests.golden.skips import AllowedSkip

NEAR_TIE_GAP = 1e-3
Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class CaseResult:
    """The outcome of one case; ``str()`` is the line the runner prints."""

    group: str
    name: str
    status: Status
    max_absolute: float | None = None
    max_relative: float | None = None
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = list(self.notes)
        if self.max_absolute is not None:
            error = f"max abs {self.max_absolute:.2e}, relative {self.max_relative:.2e}"
            parts.insert(0, error)
        detail = "; ".join(parts).replace("\n", "\\n")
        return f"{self.status:7} {self.group} {self.name}" + (f": {detail}" if detail else "")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Case:
    """Collects the checks of one case. Every check returns whether it held."""

    def __init__(self, group: str, name: str) -> None:
        self.group = group
        self.name = name
        self._failures: list[str] = []
        self._notes: list[str] = []
        self._max_absolute: float | None = None
        self._max_relative: float | None = None

    def equal(self, what: str, recorded: object, actual: object) -> bool:
        """Exact equality; arrays and tensors are compared as nested lists."""
        recorded, actual = _plain(recorded), _plain(actual)
        if recorded != actual:
            self._failures.append(f"{what}: {_difference(recorded, actual)}")
        return recorded == actual

    def close(
        self,
        what: str,
        recorded: ArrayLike | Digest,
        actual: ArrayLike | Sequence[ArrayLike],
        *,
        absolute: float,
    ) -> bool:
        """Numbers within ``absolute`` of the recording.

        ``recorded`` is an array stored whole, a ``Digest`` or a number. ``actual`` may be a list
        of arrays where the recording has a leading axis over parts (slices, chunks), which are
        zero-padded there. Of a digest, the mean and the mean square are held to the same bound
        as single values.
        """
        if isinstance(recorded, Digest):
            return self._close_digest(what, recorded, actual, absolute)
        return self._close_values(what, np.asarray(recorded), _values(actual), absolute)

    def ids(
        self,
        what: str,
        recorded: Sequence[int],
        actual: Sequence[int],
        top2_gaps: Sequence[float] | None = None,
    ) -> bool:
        """Token ids in order. False ends the run: what follows depends on the ids.

        ``top2_gaps[i]`` is the gap between our best and second-best score when ``actual[i]`` was
        chosen. Where the ids first differ at a gap below 1e-3 the case is noted as ``near-tie``
        and does not fail.
        """
        recorded, actual = list(recorded), list(actual)
        if recorded == actual:
            return True
        pairs = zip(recorded, actual, strict=False)
        shorter = min(len(recorded), len(actual))
        first = next((i for i, (a, b) in enumerate(pairs) if a != b), shorter)
        if top2_gaps is not None and first < len(top2_gaps) and top2_gaps[first] < NEAR_TIE_GAP:
            self._notes.append(f"{what}: near-tie at {first} (gap {top2_gaps[first]:.1e})")
            return False
        self._failures.append(f"{what}: {_difference(recorded, actual)}")
        return False

    def fail(self, message: str) -> None:
        """Record a failure that is no comparison."""
        self._failures.append(message)

    def result(self) -> CaseResult:
        """The finished case."""
        status: Status = "failed" if self._failures else "passed"
        notes = [*self._failures, *self._notes]
        return CaseResult(
            self.group, self.name, status, self._max_absolute, self._max_relative, notes
        )

    def skip(self, rule: AllowedSkip) -> CaseResult:
        """The case left out by a rule of the skip table (``context.allowed_skip``)."""
        return CaseResult(self.group, self.name, "skipped", notes=[rule.reason])

    def _close_digest(
        self, what: str, recorded: Digest, actual: ArrayLike | Sequence[ArrayLike], absolute: float
    ) -> bool:
        if recorded.n_parts is None:
            return self._close_one_digest(what, recorded, digest(_values(actual)), absolute)
        parts = list(actual)  # pyright: ignore[reportArgumentType]
        if not self.equal(f"{what} parts", recorded.n_parts, len(parts)):
            return False
        held = [
            self._close_one_digest(f"{what}[{i}]", _part(recorded, i), digest(part), absolute)
            for i, part in enumerate(parts)
        ]
        return all(held)

    def _close_one_digest(
        self, what: str, recorded: Digest, actual: Digest, absolute: float
    ) -> bool:
        if not self.equal(f"{what} shape", recorded.shape, actual.shape):
            return False
        n_values = max(int(np.prod(actual.shape)), 1)
        root_mean_square = float(np.sqrt(recorded.sumsq / n_values))
        checks = [
            self._close_values(
                f"{what} {name}",
                getattr(recorded, name)[: getattr(actual, name).size],
                getattr(actual, name),
                absolute,
            )
            for name in ("first", "last", "spread")
        ]
        for name, bound in (
            ("sum", absolute),
            ("sumsq", absolute * (2 * root_mean_square + absolute)),
        ):
            off = abs(float(getattr(recorded, name)) - float(getattr(actual, name))) / n_values
            checks.append(off <= bound)
            if not off <= bound:
                self._failures.append(f"{what} {name}: off by {off:.2e} a value, {bound:.0e} held")
        return all(checks)

    def _close_values(self, what: str, recorded: NDArray, actual: NDArray, absolute: float) -> bool:
        if recorded.shape != actual.shape:
            self._failures.append(f"{what}: recorded shape {recorded.shape}, got {actual.shape}")
            return False
        if recorded.size == 0:
            return True
        recorded = recorded.astype(np.float64)
        actual = actual.astype(np.float64)
        with np.errstate(invalid="ignore"):  # equal infinities differ by nothing
            off = np.where(recorded == actual, 0.0, np.abs(recorded - actual))
        worst = float(off.max())
        relative = worst / max(float(np.abs(recorded).max()), 1e-30)
        self._max_absolute = max(self._max_absolute or 0.0, worst)
        self._max_relative = max(self._max_relative or 0.0, relative)
        held = bool(worst <= absolute)  # false for NaN
        if not held:
            place = tuple(int(i) for i in np.unravel_index(np.argmax(off), off.shape))
            self._failures.append(f"{what}: off by {worst:.2e} at {place}, {absolute:.0e} allowed")
        return held


def _part(recorded: Digest, index: int) -> Digest:
    return Digest(**{name: values[index] for name, values in vars(recorded).items()})


def _values(actual: Any) -> NDArray:
    is_list = isinstance(actual, (list, tuple)) and any(np.ndim(part) for part in actual)
    return stack_padded(actual) if is_list else np.asarray(actual)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def _difference(recorded: Any, actual: Any) -> str:
    """Where two values first differ, short enough for one line."""
    if isinstance(recorded, (list, str)) and type(recorded) is type(actual):
        pairs = zip(recorded, actual, strict=False)
        shorter = min(len(recorded), len(actual))
        first = next((i for i, (a, b) in enumerate(pairs) if a != b), shorter)
        window = slice(first, first + 40 if isinstance(recorded, str) else first + 3)
        return (
            f"first difference at {first} (lengths {len(recorded)}, {len(actual)}): "
            f"recorded {recorded[window]!r}, got {actual[window]!r}"
        )
    if isinstance(recorded, dict) and isinstance(actual, dict):
        keys = [key for key in {**recorded, **actual} if recorded.get(key) != actual.get(key)]
        key = keys[0]
        return f"{key}: recorded {recorded.get(key)!r}, got {actual.get(key)!r}"
    return f"recorded {recorded!r}, got {actual!r}"
