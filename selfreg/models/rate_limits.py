"""Counters of the rate limits; ``selfreg.rate_limits`` reads and writes them."""

from django.db import models


class RateLimitCounter(models.Model):
    """The hits of one limit by one subject in the current window, which ends at ``until``."""

    key = models.CharField(primary_key=True, max_length=64)
    """A keyed digest of the limit's name and its subject, so that the table holds no address, number or IP address."""
    used = models.PositiveIntegerField()
    """Hits in the window."""
    until = models.BigIntegerField(db_index=True)
    """Seconds since the epoch: a plain number that every database compares alike."""

    class Meta:
        db_table = "selfreg_allowance"  # the model's first name

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.used}"
