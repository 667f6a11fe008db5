"""Rules of delivery: which reminder stages are owed and when, bounces, digests, acts of staff.

``reminders.plan`` decides every stage of one certification. The contents of an email are in
``tracker.mail``; sending is in ``services/delivery``.
"""
