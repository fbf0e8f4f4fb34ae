"""One module a group of recordings, named ``gNN_topic`` after the two-digit file prefix.

Each exposes ``run(context) -> Iterator[CaseResult]`` and yields one result a case.
"""
