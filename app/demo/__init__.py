"""The demo: KPU's real tree of units, with invented people and synthetic quick wins."""
