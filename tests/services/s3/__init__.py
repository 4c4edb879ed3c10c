"""State in buckets of S3, by moto's emulator."""
