"""Routes on activities and their evidence, and the schemas of an evaluation.

The routes of an evaluation belong to a certification and are in ``tracker.api.credentials``. The
points of an activity are computed by ``domain/points``.
"""
