"""The daemon's log: to stderr, without what identifies people."""

import logging
import os
import sys


def log_to_stderr() -> None:
    """Show what reminderd says, and only warnings of others; no number or mailbox in it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("reminderd").setLevel(logging.INFO)


class _Redacting(logging.Formatter):
    """Redacts the whole record, the traceback included; the journal adds the time by itself."""

    def format(self, record: logging.LogRecord) -> str:
        from reminderd.transports.privacy import masked

        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        lines = super().format(record).splitlines()
        text = "\n".join(masked(line) for line in lines)
        time = "" if "JOURNAL_STREAM" in os.environ else f"{self.formatTime(record)} "
        return f"{time}{level}{text}"
