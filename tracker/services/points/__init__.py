"""Activities, the decisions on them, their evidence, and the points they earn.

``activities`` (log, edit, submit, decide, undo) with ``activity_room`` (limits on their number),
``activity_effects`` (what follows for applications and reminders), ``activity_decisions`` (all of
one activity) and ``activity_types`` (those of many); ``evidence`` (files); ``evaluations`` (a
certification with its standing and its points explained in words). ``domain/points`` turns claims
into points; ``tracker.services.standings`` computes those of many at once.
"""
