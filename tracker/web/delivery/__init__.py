"""Pages of the staff about messages: reminders ahead, dead addresses, and those of one person."""
