from django.db import migrations


class Migration(migrations.Migration):
    """Renames the model ``Allowance``. Its table keeps its name, so the database does not change."""

    dependencies = [("selfreg", "0002_index_finished_at")]

    operations = [
        migrations.AlterModelTable(name="allowance", table="selfreg_allowance"),
        migrations.RenameModel(old_name="Allowance", new_name="RateLimitCounter"),
    ]
