"""What a patient's reply means: read by rules and words that a nurse can review, never by guess."""
