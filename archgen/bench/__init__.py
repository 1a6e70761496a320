"""How long networks take on this machine, measured."""
