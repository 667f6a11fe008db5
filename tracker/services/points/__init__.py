"""Activities, their evidence, and what they are worth."""
