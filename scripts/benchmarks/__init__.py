"""What Mainstem costs, measured on real servers; run by `scripts/bench`."""
