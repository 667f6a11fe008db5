"""What is said to people, in English and Spanish; the rules hold no prose."""
