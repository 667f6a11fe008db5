"""Pages for the person who runs the program.

``operations`` is the state at a glance: what fails and which command mends it, what waits, and the
switch of all messages; ``operations_words`` has what it says. Metrics and checks for programs are
in ``api/overview``.
"""
