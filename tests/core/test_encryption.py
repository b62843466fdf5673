import pytest

from evalapp.core.encryption import InvalidToken, decrypt, encrypt


def test_what_is_encrypted_can_be_read_again_and_is_not_plain():
    token = encrypt("sk-provider-ü")
    assert "provider" not in token
    assert decrypt(token) == "sk-provider-ü"
    assert encrypt("sk-provider-ü") != token


def test_the_key_can_be_changed_while_the_old_one_is_a_fallback(settings):
    token = encrypt("secret")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    assert decrypt(token) == "secret"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        decrypt(token)
