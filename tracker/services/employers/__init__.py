"""Employers: rosters, consent, what they see of their workers, digests, mass extensions.

``employments`` begins and ends an employment, by the same rules for one worker and for a file;
``naming`` says whom an entry means; ``sharing`` and ``consents`` say who sees whom;
``workforce`` reads it, decided at each request. A digest is ordered and gathered here
(``digests``, ``digest_contents``) and composed in ``tracker.services.delivery``.
"""
