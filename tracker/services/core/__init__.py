"""What every service uses; nothing here knows a use case.

``context`` holds ``Container``, ``ReadContext`` and ``UnitOfWork``. ``bulk`` writes many rows at
once (COPY on PostgreSQL), ``history`` writes one entry for each change, ``history_chain`` chains
them when the transaction ends, ``locks`` locks holders' records. Beside them: ``tokens``,
``row_scope`` (whose rows an actor sees), ``identities`` (whether two are one person), ``writers``
(who entered what others decide), ``signed_links``, ``idempotency``, ``counters``,
``allowances``, ``turns``, ``days``. ``batched``,
``combined`` and ``prefetch`` read facts in few round trips.
"""
