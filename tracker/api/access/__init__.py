"""Who the caller is, and the tokens of programs."""
