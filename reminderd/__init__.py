"""reminderd looks after a patient between the treatment chair and healed skin."""

__version__ = "0.1.0"
