"""Assessments, awards, certifications, renewals, adjustments, appeals, policy versions.

``awards.settle`` makes the awards on record agree with the passes; it reads with ``award_facts``,
plans with ``award_plans`` and writes with ``award_rows``. ``timelines`` writes the spans that
follow from the facts, ``certifications`` changes a standing, ``renewals`` decides applications.
``module_certificates`` follow single passes; ``pathways``, ``apprenticeships`` and
``managed_cases`` stand beside, and sponsors see the latter two by ``sponsor_consents``.

Code that writes a cycle, an adjustment, a renewal or a change calls ``certifications.refresh`` in
the same transaction. Points and activities are in ``tracker.services.points``, above.
"""
