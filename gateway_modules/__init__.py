"""The gateway: one public address in front of a pool of workers.

It queues, routes, relays and serves the pages. It knows the wire models and never the model:
nothing in this package may import torch.
"""
