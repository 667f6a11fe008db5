"""Messages on their way: reminders planned, composed, claimed, sent, settled; bounces; evidence."""
