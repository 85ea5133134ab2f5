"""Who stores the outbox and who works: one folder per engine, each with the same promise."""
