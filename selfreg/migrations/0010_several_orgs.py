"""An org for each row: a site may have several. Rows of before are of the default one."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("selfreg", "0009_email_spelling"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="doctorrun",
            name="org",
            field=models.CharField(db_default="default", default="default", max_length=50, verbose_name="org"),
        ),
        migrations.AddField(
            model_name="policyversion",
            name="org",
            field=models.CharField(db_default="default", default="default", max_length=50, verbose_name="org"),
        ),
        migrations.AddField(
            model_name="registration",
            name="org",
            field=models.CharField(db_default="default", default="default", max_length=50, verbose_name="org"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                condition=models.Q(("org", "default"), _negated=True),
                fields=["org", "created_at", "id"],
                name="selfreg_by_org",
            ),
        ),
    ]
