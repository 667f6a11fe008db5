"""Rules of the certification body's work: how a holder's request is decided."""
