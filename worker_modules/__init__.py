"""The worker: one model, one inference thread, and the endpoints around them."""
