"""Routes of the certification body's desk."""
