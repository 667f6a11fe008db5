"""Routes for the certification body's staff: the review queue, and holders' requests.

A decision on an activity or a renewal is a route of that resource (``tracker.api.points``,
``tracker.api.credentials``); here is what is waiting for one.
"""
