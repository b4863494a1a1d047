"""文书: bulletins and notices as content first, then as Word; drafted, checked, issued, frozen."""
