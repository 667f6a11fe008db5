"""Sending messages: planning reminders, composing, claiming, sending, settling; bounces.

``planner`` decides due stages (with ``due_stages``) and puts reminders into the outbox.
``dispatcher`` claims messages (``leases``), has each kind composed (``composers``), sets the
``marker`` and hands the message to the relay. ``reaper`` resolves messages left in doubt. A kind is
a module with the functions of a ``Composer``: ``reminder_messages``, ``notice_messages``,
``digest_messages``; ``sealing`` is what they share, ``stored_facts`` what a message says, as JSON.
``send_safety`` says whether this database may send at all, ``ledger`` what became of each stage.

Messages are put into the outbox by ``tracker.services.outbox``, so that a service that owes a
message imports nothing from here.
"""
