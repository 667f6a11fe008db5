"""Putting messages into the outbox; suppressed addresses; reminder cursors.

``notices.tell`` notifies holders of what happened, ``queue.enqueue`` puts in a message, both in the
transaction that owes it. ``cursors.touch`` makes the planner examine a certification again.
``suppressions`` keeps the addresses that are not written to, ``pacing`` the quiet hours. Nothing
here takes a message out, composes or sends it: that is ``tracker.services.delivery``.
"""
