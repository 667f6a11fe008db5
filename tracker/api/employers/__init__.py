"""Routes on employers, sharing, workforces and digests."""
