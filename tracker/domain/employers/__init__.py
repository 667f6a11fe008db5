"""What an employer may know about its workers: standing and point totals, never evidence.

``services/employers`` reads whether a worker consented; this package says what may be shown then,
and how a consent ends (``consents``).
"""
