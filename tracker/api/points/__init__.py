"""Routes on activities, their evidence, and evaluations.

The points of an activity are computed by ``domain/points``.
"""
