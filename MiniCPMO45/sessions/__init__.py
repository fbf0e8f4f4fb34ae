"""Conversations: everything that changes while people talk to the model."""
