"""Pages of the staff about messages.

``reminders`` has the days ahead, a dry run of any day, and the addresses that do not work;
``person_messages`` those of one person: what was sent, what was not, and why. ``stage_words`` has
what they say.
"""
