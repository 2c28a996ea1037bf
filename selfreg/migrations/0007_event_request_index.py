from typing import Any

from django.db import migrations, models


class AddIndexWithoutLock(migrations.AddIndex):
    """On PostgreSQL people go on signing up while the index of a large table is built."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.add_index(model, self.index, concurrently=True)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("selfreg", "0006_command_runs"),
    ]

    operations = [
        AddIndexWithoutLock(
            model_name="registrationevent",
            index=models.Index(
                condition=models.Q(("request_id__gt", "")), fields=["request_id"], name="selfreg_event_request"
            ),
        ),
    ]
