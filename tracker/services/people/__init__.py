"""Holders and what they prefer.

``holders`` (people on record), ``names`` (the one place that writes them, and those they had
before), ``namesakes``, ``preferences`` (which messages, when, where, in which language). Requests
that staff decide are in ``tracker.services.desk``.
"""
