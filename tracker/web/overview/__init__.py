"""Pages of the staff about everything that was done: the history, and whether it was edited."""
