"""This app's part of the public API. Names may hold slashes; `datasets/…` is split in evalapp.experiments."""

from django.urls import path

from evalapp.datasets import api

urlpatterns = [
    path("v2/datasets", api.DatasetList.as_view(), name="api_dataset_list"),
    path("v2/datasets/<any:name>", api.DatasetDetail.as_view(), name="api_dataset_detail"),
    path("dataset-items", api.ItemList.as_view(), name="api_dataset_item_list"),
    path("dataset-items/<any:item_id>", api.ItemDetail.as_view(), name="api_dataset_item_detail"),
]
