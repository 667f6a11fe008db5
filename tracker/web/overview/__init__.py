"""Pages for the person who runs the program: its state at a glance (``operations``)."""
