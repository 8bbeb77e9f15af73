"""The dashboard: its page, its numbers, and the history behind them."""
