"""What every update passes before its handler, outermost first: errors, access."""
