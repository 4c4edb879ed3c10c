"""How long it takes from a word to its count at 50 % and 80 % of the highest rate of the original."""

from harness import kafka

TITLE = "Kafka, word count"
#: So many rows a second, if it is not the rate of the original.
ROWS, QUICK_ROWS = 0, 5_000
ORDER = 301
SERVICE = "kafka"
PROGRAMS = "kafka_words"
RESULT = kafka.RESULT
METRICS = kafka.latency_metrics("the original's rate")
TARGET = {"original": "a lower p95"}

generate = kafka.generate_latency
prepare = kafka.at_rates_of("original")
figures = kafka.latency_figures
