"""Routes of the certification body's desk: the review queue, and what holders ask of the staff.

A decision on an activity or a renewal is a route of that resource (``tracker.api.points``,
``tracker.api.credentials``); here is what waits for one.
"""
