"""Routes on employers: companies and rosters, sharing, the workforce on any day, digests.

What an employer may see is decided by ``services/employers`` at each request, by each worker's
consent. A route here never filters by itself.
"""
