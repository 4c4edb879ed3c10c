"""Runs over several hosts."""
