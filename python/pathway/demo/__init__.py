"""`pw.demo`: streams to try things out with."""

from pathway.demo.generators import generate_custom_stream, noisy_linear_stream, range_stream
from pathway.demo.replay import replay_csv, replay_csv_with_time

__all__ = [
    "generate_custom_stream",
    "noisy_linear_stream",
    "range_stream",
    "replay_csv",
    "replay_csv_with_time",
]
