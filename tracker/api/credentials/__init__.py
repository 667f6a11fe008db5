"""Routes on schemes, assessments, certifications, renewals, adjustments, appeals, imported awards.

The reason codes used by decisions are here too. The evaluation of a certification is a route of
``certifications``; its schemas are in ``tracker.api.points``. Public verification is a page
(``tracker.web``).
"""
