"""Employers: rosters, consent, what employers see of their workers, digests, mass extensions.

``employments`` begins and ends an employment, by the same rules for one worker and for a file;
``naming`` finds the person whom an entry means; ``sharing`` and ``consents`` decide who sees whom;
``workforce`` reads it, with consent checked at each request. A digest is ordered and gathered here
(``digests``, ``digest_contents``) and composed in ``tracker.services.delivery``.
"""
