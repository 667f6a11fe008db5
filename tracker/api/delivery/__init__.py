"""Routes on reminders, messages, suppressed addresses, the relay's events, and sending itself.

They show what the outbox holds and let staff act on one message. Nothing is sent from here: that is
the scheduler's work (``tracker.jobs``). Which messages a holder wants is in ``tracker.api.people``.
"""
