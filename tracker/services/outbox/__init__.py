"""Putting messages in, never taking them out; suppressed addresses; reminder cursors.

``notices.tell`` has holders told of what happened, ``queue.enqueue`` puts a message in, in the
transaction that owes it. ``cursors.touch`` has the planner look at a certification again.
``suppressions`` holds addresses that are not written to, ``pacing`` the quiet hours. Nothing here
composes or sends: that is ``tracker.services.delivery``.
"""
