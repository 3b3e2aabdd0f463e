"""Certifying a contract: who is judged, and what deviations are tried."""
