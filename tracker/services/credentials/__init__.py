"""Assessments, awards, certifications, renewals, adjustments, appeals, policy versions."""
