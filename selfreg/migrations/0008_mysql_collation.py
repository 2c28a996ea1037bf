from typing import Any

from django.db import migrations


def tell_all_texts_apart(apps: Any, schema_editor: Any) -> None:
    """MySQL and MariaDB take "É" for "e" unless told otherwise: then somebody else's account or address would match."""
    if schema_editor.connection.vendor != "mysql":
        return
    quote = schema_editor.connection.ops.quote_name
    # Foreign keys between the tables want equal collations, and one table changes after the other.
    schema_editor.execute("SET FOREIGN_KEY_CHECKS = 0")
    for model in apps.get_app_config("selfreg").get_models():
        table = quote(model._meta.db_table)
        schema_editor.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    schema_editor.execute("SET FOREIGN_KEY_CHECKS = 1")


class Migration(migrations.Migration):
    """On MySQL and MariaDB, compares texts by their characters."""

    dependencies = [("selfreg", "0007_event_request_index")]

    operations = [migrations.RunPython(tell_all_texts_apart, migrations.RunPython.noop, atomic=False)]
