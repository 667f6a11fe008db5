"""Routes on history, and for operators: health, readiness, metrics.

A holder's whole record is a route of ``tracker.api.people``.
"""
