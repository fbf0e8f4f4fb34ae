"""Which commit a service runs, as its repository tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_modules.revision import git_revision


@pytest.mark.parametrize(
    ("files", "revision"),
    [
        ({"HEAD": "abc\n"}, "abc"),
        ({"HEAD": "ref: refs/heads/main\n", "refs/heads/main": "abc\n"}, "abc"),
        ({"HEAD": "ref: refs/heads/main\n", "packed-refs": "# x\nabc refs/heads/main\n"}, "abc"),
        ({"HEAD": "ref: refs/heads/main\n", "packed-refs": "abc refs/heads/other\n"}, None),
        ({"HEAD": "ref: refs/heads/main\n"}, None),
        ({}, None),
    ],
)
def test_the_commit_is_read_where_it_is_kept(
    tmp_path: Path, files: dict[str, str], revision: str | None
) -> None:
    for name, content in files.items():
        path = tmp_path / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert git_revision(tmp_path) == revision
