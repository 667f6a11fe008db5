"""Taking messages out: reminders planned, composed, claimed, sent, settled; bounces; evidence.

``planner`` decides due stages (with ``stages``) and puts reminders into the outbox. ``dispatcher``
claims messages (``claims``), has them composed by their kind (``composers``), asks the ``marker``
once more and hands them to the relay. ``reaper`` resolves what was left in doubt. ``send_safety``
says whether this database may send at all, ``ledger`` what became of every stage.

Putting a message in is in ``tracker.services.outbox``, so that a service that owes one imports
none of this.
"""
