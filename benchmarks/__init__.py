"""Load, peers, reports: how fast Panal is, always beside something else that does the same work."""
