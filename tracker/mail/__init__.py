"""Email: composing messages, rendering them, handing them to the relay, reading what comes back.

``messages`` (reminders), ``notices`` and ``digests`` turn facts into a ``ComposedEmail``;
``envelopes`` renders that as bytes; ``smtp_sender`` hands the bytes to the relay and returns the
outcome. ``reports``, ``plain_bounces`` and ``postfix`` read what mail systems write. The layouts
are in ``templates``; the sentences are in the catalogues of ``tracker.language``.

Nothing here reads the database, or decides whether a message is owed (``services/delivery``).
Only ``smtp_sender`` imports Flask-Mail.
"""
