"""The synthetic demo project: an invented web shop, its support agent, and the ways in which the agent fails.

Everything here is made up and deterministic, and knows neither Django nor the database: `create_demo` writes it.
"""
