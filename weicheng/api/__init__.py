"""接口: the JSON interface."""
