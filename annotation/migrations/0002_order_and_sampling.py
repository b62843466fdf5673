"""Queues get an order, and items the probability with which a sample chose them."""

from django.db import migrations, models


# Items that were added at once have one created_at; a queue whose order changes tells by it which came first.
ARRIVALS = """
UPDATE annotation_queueitem AS item SET created_at = created_at + arrival.number * interval '1 microsecond'
FROM (SELECT id, row_number() OVER (PARTITION BY queue_id, created_at ORDER BY position) - 1 AS number
      FROM annotation_queueitem) AS arrival
WHERE item.id = arrival.id AND arrival.number > 0
"""


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='annotationqueue',
            name='order',
            field=models.CharField(choices=[('oldest', 'Oldest first'), ('newest', 'Newest first'), ('random', 'Random')], default='oldest', max_length=6),
        ),
        migrations.AddField(
            model_name='annotationqueue',
            name='order_seed',
            field=models.IntegerField(default=0, help_text='Another number gives another random order.'),
        ),
        migrations.AddField(
            model_name='queueitem',
            name='inclusion_probability',
            field=models.FloatField(help_text='How probable it was that sampling chose this object; null when nothing was sampled.', null=True),
        ),
        migrations.AlterField(
            model_name='queueitem',
            name='position',
            field=models.BigIntegerField(help_text='Place in the order of the queue; may be negative.'),
        ),
        migrations.RunSQL(ARRIVALS, migrations.RunSQL.noop),
    ]
