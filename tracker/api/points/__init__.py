"""Routes on activities and their evidence, and the schemas of an evaluation.

The routes of an evaluation belong to a certification and are in ``tracker.api.credentials``. What
an activity is worth is computed by ``domain/points``.
"""
