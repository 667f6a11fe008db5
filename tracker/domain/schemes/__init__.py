"""Certification schemes and policy versions as values, and how versions are compared.

``schemes`` (``Scheme``: modules, award rule, fees, policies), ``policies`` and ``activity_types``
(everything that a policy can say), ``reasons`` (reason codes), ``policy_versions`` (the fingerprint
of a version), ``policy_impact`` (what another version changes). ``tracker.scheme_files`` reads
files into these values, whose annotations say all about the keys of a file (``keys``).
"""
