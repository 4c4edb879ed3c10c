"""Kafka and PostgreSQL at both ends of a program that is killed again and again."""
