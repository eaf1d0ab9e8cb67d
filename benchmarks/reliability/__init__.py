"""Faults the service has to survive, made on purpose on this machine, over loopback."""
