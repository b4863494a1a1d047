"""事项: the closed loop, its deadlines, its history."""
