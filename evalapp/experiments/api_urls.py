"""This app's part of the public API, with the paths below `datasets/`, which runs and datasets share."""

from django.urls import path

from evalapp.experiments import api

urlpatterns = [
    path("datasets", api.OldDatasetList.as_view(), name="api_old_dataset_list"),
    path("datasets/<any:rest>", api.DatasetOrRuns.as_view(), name="api_dataset_runs"),
    path("dataset-run-items", api.RunItemList.as_view(), name="api_run_item_list"),
    path("experiments", api.ExperimentList.as_view(), name="api_experiment_list"),
    path("experiment-items", api.ExperimentItemList.as_view(), name="api_experiment_item_list"),
]
