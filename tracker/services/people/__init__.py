"""Holders and their preferences.

``holders`` (people on record), ``names`` (the only place that writes current and former names),
``namesakes``, ``preferences`` (which messages, when, where, in which language). Requests that staff
decide are in ``tracker.services.desk``.
"""
