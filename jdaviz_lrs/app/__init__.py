"""The standalone app: server and demonstration."""
