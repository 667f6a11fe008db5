"""Employers: rosters, consent, what employers see of their workers, digests, mass extensions.

``employments`` begins and ends an employment, by the same rules for one worker and for a file;
``naming`` finds the person whom an entry means; ``sharing`` and ``consents`` decide who sees whom;
``workforce_selection`` says what consent reveals, checked at each request, and ``workforce``,
``workforce_files`` and ``workforce_numbers`` show it. A digest is ordered and gathered here
(``digests``, ``digest_contents``) and composed in ``tracker.services.delivery``.
"""
