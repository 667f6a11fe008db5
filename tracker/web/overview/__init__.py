"""Pages about the whole: what was done and whether it was edited, and how the program is.

``history`` is for the staff, ``operations`` for the person who runs the program.
"""
