"""Holders and what they prefer."""
