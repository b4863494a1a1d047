"""督查: visits and findings."""
