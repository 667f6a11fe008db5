"""What an employer may know of its workers: a standing, a line of points, never evidence.

Whether a worker agreed is read by ``services/employers``; here is what may be shown then, and how
a consent ends (``consents``).
"""
