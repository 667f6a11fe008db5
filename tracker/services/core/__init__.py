"""What every service uses: units of work, bulk statements, history, locks, signed links."""
