"""Pages of the staff about everything that was done.

``history`` searches the history by person, act, actor and day, and says whether it was edited.
What one person's record says is in ``tracker.web.desk.people``.
"""
