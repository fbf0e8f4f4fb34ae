"""Recipes of trained checkpoints; nothing that serves imports them."""
