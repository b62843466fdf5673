"""What all of the API shares."""


def test_a_path_that_the_api_does_not_have_is_json(client):
    for method in ("get", "post", "delete"):
        response = getattr(client, method)("/api/public/nonsense/x")
        assert response.status_code == 404
        assert (
            response.json().items()
            >= {
                "message": f"There is no {method.upper()} /api/public/nonsense/x in this API.",
                "error": "LangfuseNotFoundError",
            }.items()
        )
