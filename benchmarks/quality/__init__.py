"""Students against their teachers on many tables, by one protocol."""
