"""What the clinic's people have to know: what waits for one of them, and how the day stands."""
