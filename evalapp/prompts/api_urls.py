"""This app's part of the public API. A name may contain slashes, so that a path may end in its last part."""

from django.urls import path

from evalapp.prompts import api

urlpatterns = [
    path("v2/prompts", api.PromptList.as_view(), name="api_prompts"),
    path(
        "v2/prompts/<any:name>/versions/<int:number>",
        api.PromptVersionDetail.as_view(),
        name="api_prompt_version",
    ),
    path("v2/prompts/<any:name>", api.PromptDetail.as_view(), name="api_prompt"),
]
