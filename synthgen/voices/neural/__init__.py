"""The loaded half of the PyTorch voices. Modules here import torch at the top; only a `build()` imports them."""
