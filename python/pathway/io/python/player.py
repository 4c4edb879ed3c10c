"""`pw.io.python.InteractiveCsvPlayer`: a CSV file, sent by hand in a notebook."""

from __future__ import annotations

import csv
import importlib
import queue
from typing import Any

from pathway.io.python.subject import ConnectorSubject


class InteractiveCsvPlayer(ConnectorSubject):
    """A source for notebooks: a slider says up to which row of a CSV file the rows are sent."""

    def __init__(self, csv_file: str = "") -> None:
        super().__init__()
        try:
            # Its types say little, and it need not be there when types are checked.
            panel: Any = importlib.import_module("panel")
        except ImportError as error:
            raise ImportError("InteractiveCsvPlayer needs panel: pip install panel.") from error
        with open(csv_file, encoding="utf-8-sig", newline="") as file:
            self._rows = list(csv.DictReader(file))
        self._positions: queue.Queue[int] = queue.Queue()
        slider = panel.widgets.IntSlider(name="Row in csv", start=0, end=len(self._rows), step=1, value=0)
        slider.param.watch(self._moved, "value")
        self._view = panel.Column(slider)

    def _moved(self, event: Any) -> None:
        self._positions.put(event.new)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self._view._repr_mimebundle_(include, exclude)

    def run(self) -> None:
        """Sends rows as the slider moves, until the last one."""
        sent = 0
        while sent < len(self._rows):
            position = self._positions.get()
            while sent < position:
                self.next(**self._rows[sent])
                sent += 1
            self.commit()
