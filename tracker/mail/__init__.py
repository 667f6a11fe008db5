"""Email: messages composed, made into bytes, handed to the relay; and what mail systems answer.

``messages`` (reminders), ``notices`` and ``digests`` turn facts into a ``ComposedEmail``;
``envelopes`` turns that into bytes; ``smtp_sender`` hands the bytes to the relay and says what
came of it. ``reports``, ``plain_bounces`` and ``postfix`` read what mail systems write. The
sentences are in ``templates``.

Nothing here reads the database, or decides whether a message is owed (``services/delivery``).
Only ``smtp_sender`` imports Flask-Mail.
"""
