"""考评: schemes applied to areas or units, sheets that explain every point, ranks, appeals."""
