"""Calls and readers that meet."""

import json
import threading

import pytest
from django.db import connection
from django.utils.timezone import now

from evalapp.datasets.actions import upsert_dataset, upsert_items
from evalapp.experiments.actions import read_spans, record_run_item, run_key
from evalapp.traces.models import Observation


@pytest.mark.django_db(transaction=True)
def test_calls_and_readers_at_once_make_one_run_with_one_row_an_item(project):
    dataset = upsert_dataset(project=project, name="qa")
    items = upsert_items(
        dataset=dataset, items=[{"item_id": f"i{number}", "input": number} for number in range(20)]
    )
    key = run_key(project.pk, dataset.pk, "run")
    words = {"id": key, "name": "run", "description": None, "metadata": {"n": 1}, "dataset_id": dataset.pk}
    Observation.objects.bulk_create(
        Observation(
            project=project,
            trace_id=f"t{number}",
            id=f"o{number}",
            start_time=now(),
            end_time=now(),
            experiment_id=key,
            experiment=json.dumps({**words, "item_id": f"i{number}"}),
        )
        for number in range(20)
    )
    failures, start = [], threading.Barrier(6)

    def work(index):
        try:
            start.wait()
            for number, item in enumerate(items):
                if index % 2:
                    read_spans(project=project)
                else:
                    place = {"trace_id": f"t{number}", "observation_id": f"o{number}"}
                    record_run_item(project=project, item=item, run_name="run", metadata={"i": index}, **place)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    run = project.dataset_runs.get()
    assert (run.key, run.dataset, run.items.count()) == (key, dataset, 20)
