"""The engine for one machine: SQLite through sqlite-utils, APScheduler as the alarm clock."""
