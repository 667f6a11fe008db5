"""Routes on holders and what they prefer."""
