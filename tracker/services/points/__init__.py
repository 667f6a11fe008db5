"""Activities, the decisions on them, their evidence, and the points they earn.

``activities`` (log, edit, submit), ``activity_decisions`` (decide, undo) and ``activity_rows``
(reading); ``activity_changes`` (what every change needs), ``activity_room`` (limits on their
number), ``activity_effects`` (what follows for applications and reminders), ``decision_rows`` (all
of one activity) and ``activity_types`` (those of many); ``evidence`` (files); ``evaluations`` (a
certification with its standing and its points explained in words); ``other_credentials`` (those of
other issuers, claimed in one step) and ``credential_expiries`` (reminders of them).
``domain/points`` turns claims into points; ``tracker.services.standings`` computes those of many at
once.
"""
