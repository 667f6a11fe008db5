"""Rules of delivery: which reminder stages are owed and when, bounces, digests, acts of staff.

``reminders.plan`` decides every stage of one certification; ``notices`` lists the events that a
holder is told of. What an email says is in ``tracker.mail``; sending is in ``services/delivery``.
"""
