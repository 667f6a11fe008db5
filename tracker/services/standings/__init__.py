"""Rows read as the values that rules take; the standing and points of one or many on any day.

``snapshots`` turns rows into values, ``related_facts`` reads what a policy needs from
other schemes, ``approved_claims`` is the fast way for hundreds at once. ``standings`` holds
``STATUS`` and ``VALID``, the rule of ``domain/credentials`` as SQL, and evaluates points.
Everything here only reads.
"""
