"""The same at 50 % and 80 % of the highest rate of ours."""

from harness import kafka

TITLE = "Kafka, word count"
#: So many rows a second, if it is not our rate.
ROWS, QUICK_ROWS = 0, 5_000
ORDER = 302
SERVICE = "kafka"
PROGRAMS = "kafka_words"
RESULT = kafka.RESULT
METRICS = kafka.latency_metrics("our rate")
WITHOUT = ("original",)

generate = kafka.generate_latency
prepare = kafka.at_rates_of("ours")
figures = kafka.latency_figures
