"""How the outbox lies in tables, in SQL that both databases understand."""
