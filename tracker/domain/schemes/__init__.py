"""Certification schemes and policy versions as values, and how versions are compared.

``schemes`` (``Scheme``: modules, award rule, fees, policies), ``policies`` and ``activity_types``
(all that a policy may say), ``reasons`` (reason codes), ``policy_versions`` (the fingerprint of a
version), ``policy_impact`` (what another version changes). Files are read into these values by
``tracker.scheme_files``.
"""
