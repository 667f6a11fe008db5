"""Rows read as the values that rules take; the standing and points of one or of many, on any day.

``snapshots`` turns rows into values, ``neighbours`` reads what a policy asks of other schemes,
``approved_claims`` is the lean way for hundreds at once. ``standings`` holds ``STATUS`` and
``VALID``, the rule of ``domain/credentials`` as SQL, and evaluates. Everything here only reads.
"""
