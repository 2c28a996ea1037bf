from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("selfreg", "0004_identity_closed_at"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="registration",
            name="selfreg_email",
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["email_canonical"], name="selfreg_email", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AlterModelOptions(
            name="doctorrun",
            options={
                "default_permissions": ("view",),
                "ordering": ("-at", "-pk"),
                "permissions": (("examine_org", "Can have the org examined"),),
                "verbose_name": "doctor run",
                "verbose_name_plural": "doctor runs",
            },
        ),
    ]
