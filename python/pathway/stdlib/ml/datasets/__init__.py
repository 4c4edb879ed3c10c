"""Data to learn from."""

from pathway.stdlib.ml.datasets import classification

__all__ = ["classification"]
