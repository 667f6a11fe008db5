"""Rows read as the values that rules take; the standing and points of one or of many."""
