"""Recordings of the official token2wav library, and what they were made from."""
