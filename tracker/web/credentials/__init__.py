"""Pages about assessments and apprenticeships, for those who are not holders.

``center_results`` is what an assessment center sent and what is on record there, ``apprentices``
what a sponsor sees of those who agreed, ``funding`` who paid for the attempts of others who did;
modules named after a page and ``_words`` have what they say.
"""
