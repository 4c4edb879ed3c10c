"""MNIST as tables; scikit-learn, which downloads it, is a stand-in here."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pathway as pw
from pathway.stdlib.ml.datasets.classification import load_mnist_sample, load_mnist_stream


def install(monkeypatch: pytest.MonkeyPatch, fetch_openml: Any) -> None:
    module = ModuleType("sklearn.datasets")
    module.fetch_openml = fetch_openml  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sklearn", ModuleType("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.datasets", module)


def test_pictures_and_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, version: int, return_X_y: bool, as_frame: bool) -> Any:
        assert (name, version, return_X_y, as_frame) == ("mnist_784", 1, True, False)
        return np.arange(20 * 4).reshape(20, 4) * 1.0, np.array(
            [str(n % 10) for n in range(20)], dtype=object
        )

    install(monkeypatch, fetch)
    assert load_mnist_stream is load_mnist_sample
    tables = [pw.debug.table_to_dicts(table) for table in load_mnist_sample(14)]
    (train, data), (train_labels, labels), (test, others), (test_labels, other_labels) = tables
    assert (len(train), len(test)) == (12, 2)
    assert list(train) == list(train_labels)
    assert list(test) == list(test_labels)
    assert not set(train) & set(test)
    by_label = {labels["label"][id] + str(data["data"][id][0] * 255) for id in train}
    assert by_label == {f"{n % 10}{4.0 * n}" for n in range(12)}
    assert sorted(other_labels["label"].values()) == ["2", "3"]
    assert all(picture.dtype == np.float64 for picture in others["data"].values())


def test_what_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: Any, **__: Any) -> Any:
        raise OSError("no route")

    with pytest.raises(ValueError, match="not 3"):
        load_mnist_sample(3)
    install(monkeypatch, fetch)
    with pytest.raises(ConnectionError, match=r"openml\.org did not give the pictures: no route"):
        load_mnist_sample(70)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r'pip install "pathway\[datasets\]"'):
        load_mnist_sample(70)
