"""Activities, the decisions on them, their evidence, and what they are worth.

``activities`` (log, edit, submit, decide, undo), ``activity_room`` (how many one may have),
``evidence`` (files), ``evaluations`` (a certification looked at: its standing, its points explained
in words). Claims become points in ``domain/points``; the points of many at once are in
``tracker.services.standings``.
"""
