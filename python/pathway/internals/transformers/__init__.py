"""Transformer classes: rows that are computed from other rows, of the same and of other tables."""

from pathway.internals.transformers.apply import transformer
from pathway.internals.transformers.declare import (
    ClassArg,
    attribute,
    input_attribute,
    input_method,
    method,
    output_attribute,
)

__all__ = [
    "ClassArg",
    "attribute",
    "input_attribute",
    "input_method",
    "method",
    "output_attribute",
    "transformer",
]
