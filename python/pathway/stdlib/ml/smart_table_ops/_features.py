"""Which features a value has, and how much a feature counts that many have."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import IntEnum
from typing import Any

__all__ = ["FuzzyJoinFeatureGeneration", "FuzzyJoinNormalization"]


def _words(value: Any) -> list[str]:
    return str(value).split()


def _letters(value: Any) -> list[str]:
    return [letter.lower() for letter in str(value) if letter.isalnum()]


class FuzzyJoinFeatureGeneration(IntEnum):
    """How features are made of a value: its words, or its letters and digits without regard to case.

    >>> FuzzyJoinFeatureGeneration.TOKENIZE.generate("Ann B.")
    ['Ann', 'B.']
    >>> FuzzyJoinFeatureGeneration.LETTERS.generate("Ann B.")
    ['a', 'n', 'n', 'b']
    """

    AUTO = 1
    TOKENIZE = 2
    LETTERS = 3

    @property
    def generate(self) -> Callable[[Any], list[str]]:
        """The function from a value to its features."""
        return _letters if self == FuzzyJoinFeatureGeneration.LETTERS else _words


def _by_count(count: float) -> float:
    return 0.0 if count == 0 else 1 / 2 ** math.ceil(math.log2(count))


def _by_logarithm(count: float) -> float:
    return 0.0 if count == 0 else 1 / math.ceil(math.log2(count + 1))


def _as_is(count: float) -> float:
    return count


class FuzzyJoinNormalization(IntEnum):
    """How much a feature counts that so many nodes have: one over the number, or over its logarithm.

    Both go by powers of two, so that few weights change when a node comes or goes. `NONE` is the number.

    >>> [FuzzyJoinNormalization.WEIGHT.normalize(count) for count in (1, 2, 5)]
    [1.0, 0.5, 0.125]
    """

    WEIGHT = 1
    LOGWEIGHT = 2
    NONE = 3

    @property
    def normalize(self) -> Callable[[float], float]:
        """The function from a number of nodes to a factor."""
        return {1: _by_count, 2: _by_logarithm, 3: _as_is}[self.value]
