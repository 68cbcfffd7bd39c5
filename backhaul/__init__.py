"""What a user installs: the command line `backhaul`. Uses `shared` only, and is never deployed."""
