"""The engine for many machines: PostgreSQL and a queue that wakes their workers."""
