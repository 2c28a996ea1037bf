from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the time when Okta reported the end of an account or of its sessions."""

    dependencies = [("selfreg", "0003_rate_limit_counter")]

    operations = [
        migrations.AddField(
            model_name="oktaidentity",
            name="closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
