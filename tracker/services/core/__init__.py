"""What every service uses; nothing here knows a use case.

``context`` holds ``Container``, ``ReadContext`` and ``UnitOfWork``. ``bulk`` writes many rows at
once (COPY on PostgreSQL), ``history`` writes one entry for each change, ``locks`` locks holders'
records. Beside them: ``tokens``, ``signed_links``, ``idempotency``, ``counters``, ``allowances``,
``turns``, ``days``. ``batched``, ``combined`` and ``prefetch`` read facts in few round trips.
"""
