"""Use cases: read facts, ask a rule, write rows and history, in the caller's transaction.

A service takes a ``ReadContext`` (looks) or a ``UnitOfWork`` (one transaction) and values, never a
request; it never commits. Rules are in ``tracker.domain``, presentation is the doors'.

The areas, from top to bottom; one imports only those below it: ``overview``, ``desk``,
``imports``, ``delivery``, ``employers``, ``points``, ``people``, ``credentials``, ``outbox``,
``standings``, ``core``.
"""
