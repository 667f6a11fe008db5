"""Activities, the decisions on them, their evidence, and the points they earn.

``activities`` (log, edit, submit, decide, undo), ``activity_room`` (limits on their number),
``evidence`` (files), ``evaluations`` (a certification with its standing and its points explained in
words). ``domain/points`` turns claims into points; ``tracker.services.standings`` computes those of
many at once.
"""
