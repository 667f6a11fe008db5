"""What every service uses; it knows no use case.

``context`` (``Container``, ``ReadContext``, ``UnitOfWork``), ``bulk`` (many rows at once, by COPY
on PostgreSQL), ``history`` (one line for each change), ``locks`` (on a holder's record),
``tokens``, ``signed_links``, ``idempotency``, ``counters``, ``allowances``, ``turns``, ``days``,
and how facts are asked for in few round trips: ``batched``, ``combined``, ``prefetch``.
"""
