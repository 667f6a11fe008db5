"""Holders, their preferences, and the accounts with which people sign in.

``holders`` (people on record), ``names`` (the only place that writes current and former names),
``namesakes``, ``preferences`` (which messages, when, where, in which language). ``accounts``
(whom an address lets in, and the claim of a record), ``sign_in`` (mailed codes and links),
``sessions`` (who is signed in, and where). Requests that staff decide are in
``tracker.services.desk``.
"""
