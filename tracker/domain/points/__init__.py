"""Rules of points: claims in, an explained evaluation out, and what would close a gap."""
