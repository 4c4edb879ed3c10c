"""A schema registry, and topics of messages that have schemas there."""
