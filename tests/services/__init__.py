"""Tests that need outside services, and what starts those."""
