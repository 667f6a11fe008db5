"""Use cases by noun: read facts, ask a rule, write, record history. Services never commit."""
