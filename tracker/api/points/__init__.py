"""Routes on activities, evidence and evaluations."""
