"""组织: areas, units, users, posts, the actor and its scope."""
