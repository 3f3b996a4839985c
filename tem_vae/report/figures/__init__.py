"""Figures: functions from measured numbers to a matplotlib figure, in one style; nothing here measures."""
