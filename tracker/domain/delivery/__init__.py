"""Rules of reminders, of messages that came back, of digests, of acts on a queued message."""
