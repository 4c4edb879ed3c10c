"""Machine learning over tables that change."""

from pathway.stdlib.ml import index

__all__ = ["index"]
