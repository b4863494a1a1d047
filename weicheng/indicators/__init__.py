"""指标: measures and figures."""
