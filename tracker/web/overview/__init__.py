"""Pages about the whole: what was done and whether it was edited, and how the program is.

``history`` is for the staff. ``operations`` is for the person who runs the program: what fails and
which command mends it, what waits, and the switch of all messages; ``operations_words`` has what it
says. Metrics and checks for programs are in ``api/overview``.
"""
