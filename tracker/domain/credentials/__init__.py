"""Rules of credentials: assessments, awards, cycles, standings, renewals, adjustments, appeals.

``certifications`` holds the timeline of spans and ``standing_on``, which reads one span and one
day. ``awards`` says which awards stand, given passes, renewals and changes. ``renewals`` says who
may apply, ``fees`` what it costs, ``appeals`` what can be appealed and by whom it is decided.
``next_steps`` says what a holder should do now, for pages and messages alike. Points are in
``domain/points``.
"""
