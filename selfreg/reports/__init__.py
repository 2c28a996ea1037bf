"""The funnel: how many people start, finish and give up, and where."""
