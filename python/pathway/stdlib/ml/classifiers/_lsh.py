"""Locality-sensitive hashing: near vectors often share a bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pathway.internals as pw
from pathway.internals.lazy_import import LazyModule

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
else:
    np = LazyModule("numpy")

#: From a vector to its buckets, one for each band.
Bucketer = Callable[[Any], "npt.NDArray[np.int64]"]


def generate_euclidean_lsh_bucketer(d: int, M: int, L: int, A: float = 1.0, seed: int = 0) -> Bucketer:
    """Buckets by the places on `M * L` random lines, each cut into pieces of length `A`."""
    random = np.random.default_rng(seed=seed)
    lines = random.normal(size=(d, M * L))
    lines = lines / np.linalg.norm(lines, axis=0)
    shifts = random.random(M * L) * A

    def bucketer(vector: Any) -> npt.NDArray[np.int64]:
        pieces = np.floor((np.asarray(vector, dtype=float) @ lines + shifts) / A).astype(np.int64)
        return np.array([_fingerprint(band) for band in pieces.reshape(L, M)], dtype=np.int64)

    return bucketer


def generate_cosine_lsh_bucketer(d: int, M: int, L: int, seed: int = 0) -> Bucketer:
    """Buckets by the sides of `M * L` random planes: a bucket is the number made of `M` bits."""
    planes = np.random.default_rng(seed=seed).normal(size=(d, M * L))
    powers = 1 << np.arange(M, dtype=np.int64)

    def bucketer(vector: Any) -> npt.NDArray[np.int64]:
        sides = (np.asarray(vector, dtype=float) @ planes >= 0).astype(np.int64)
        return np.asarray(sides.reshape(L, M) @ powers, dtype=np.int64)

    return bucketer


def _fingerprint(numbers: npt.NDArray[np.int64]) -> int:
    """A number of 32 bits for a row of numbers."""
    import zlib

    return zlib.crc32(numbers.tobytes()) - (1 << 31)


def lsh(
    data: pw.Table[Any], bucketer: Bucketer, origin_id: str = "origin_id", include_data: bool = True
) -> pw.Table[Any]:
    """A row for each band of each row: the id of the row, `bucketing` (the band), `band` (its bucket)."""

    def bands(vector: Any) -> tuple[tuple[int, int], ...]:
        return tuple((band, int(bucket)) for band, bucket in enumerate(bucketer(vector)))

    columns = {"data": data.data} if include_data else {}
    hashed = data.select(
        buckets=pw.apply_with_type(bands, list[tuple[int, int]], data.data),
        **columns,
    )
    flat = hashed.flatten(hashed.buckets, origin_id=origin_id)
    kept = {name: flat[name] for name in columns}
    return flat.select(
        **{origin_id: flat[origin_id]},
        bucketing=flat.buckets.get(0),
        band=flat.buckets.get(1),
        **kept,
    )
