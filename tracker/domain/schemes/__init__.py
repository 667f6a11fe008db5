"""Certification schemes and policy versions as values."""
