"""Rules of assessments, awards, cycles, standings, renewals and adjustments."""
