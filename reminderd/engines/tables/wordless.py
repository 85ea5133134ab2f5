"""Of a person or of words that are gone nothing leaves any more."""

from reminderd.engines.tables.store import THESE

NO_ANSWERS = (
    "UPDATE answers SET number = '', text = '', error = NULL, wake_at = NULL, "
    "state = CASE state WHEN 'waiting' THEN 'expired' ELSE state END "
    f"WHERE reply IN {THESE}"
)
