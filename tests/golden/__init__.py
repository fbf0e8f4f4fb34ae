"""Replays recorded inputs through the public model API and compares the outputs.

``python -m tests.golden DIR`` runs every group of recordings found in ``DIR/cases``; see
``runner`` for the options and ``case`` for how a group reports.
"""
