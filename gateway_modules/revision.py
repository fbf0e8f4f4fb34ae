"""Which state of the code runs."""

from __future__ import annotations

from pathlib import Path

REFERENCE = "ref: "


def git_revision(root: Path) -> str | None:
    """The commit that is checked out; None where no repository tells."""
    folder = root / ".git"
    try:
        head = (folder / "HEAD").read_text().strip()
        if not head.startswith(REFERENCE):
            return head
        name = head.removeprefix(REFERENCE)
        if (folder / name).exists():
            return (folder / name).read_text().strip()
        packed = (folder / "packed-refs").read_text().splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
