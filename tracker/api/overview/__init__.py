"""Routes on history and operations."""
