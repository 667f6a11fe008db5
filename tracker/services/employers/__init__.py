"""Employers: rosters, consent, what they see of their workers, digests, mass extensions."""
