"""Routes on reminders, messages, suppressions, relay events and sending."""
