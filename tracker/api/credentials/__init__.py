"""Routes on schemes, assessments, certifications, renewals, adjustments and appeals."""
