"""Pages for people: the start, verification, unsubscribing."""
