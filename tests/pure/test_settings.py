"""The settings: ALFRED_* read once, with words for whoever runs the service."""

import pytest
from pydantic import ValidationError

from alfred.settings import BadSetting, Settings, secret_settings

SECRET = "s" * 32


def test_nothing_set_is_the_default():
    assert Settings.load({}) == Settings()
    settings = Settings.load({"PATH": "/bin", "alfred_port": "1", "XALFRED_PORT": "1"})
    assert (settings.host, settings.port, settings.body_limit) == ("127.0.0.1", 8000, 1_048_576)
    assert (settings.access_token_ttl, settings.refresh_token_ttl, settings.login_attempts) == (900, 2_592_000, 10)
    assert (settings.overdue_scan_interval, settings.stalled_scan_interval) == (3600, 86_400)
    assert settings.stalled_after == 259_200
    assert settings.database_url is settings.home is None


def test_an_empty_one_is_the_default():
    names = [f"ALFRED_{name.upper()}" for name in Settings.model_fields]
    assert Settings.load(dict.fromkeys(names, "")) == Settings()


def test_reads_every_kind():
    settings = Settings.load(
        {
            "ALFRED_PORT": "0",
            "ALFRED_HOME": "/srv/alfred",
            "ALFRED_JWT_SECRET": f"{SECRET}, {'t' * 40}",
            "ALFRED_CORS_ORIGINS": "https://a.example, https://b.example,",
            "ALFRED_TRUSTED_PROXIES": "10.0.0.0/8,::1",
            "ALFRED_PUBLIC_URL": "https://crm.example.com/alfred",
            "ALFRED_OVERDUE_SCAN_INTERVAL": "1",
            "ALFRED_LOG_LEVEL": "debug",
        }
    )
    assert (settings.port, str(settings.home)) == (0, "/srv/alfred")
    assert [key.get_secret_value() for key in settings.jwt_secret] == [SECRET, "t" * 40]
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert (settings.overdue_scan_interval, settings.log_level) == (1, "debug")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRT", "8000"),
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("PORT", "80.5"),
        ("JWT_SECRET", "short"),
        ("JWT_SECRET", f"{SECRET},short"),
        ("BODY_LIMIT", "-1"),
        ("ACCESS_TOKEN_TTL", "0"),
        ("OVERDUE_SCAN_INTERVAL", "0"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("PUBLIC_URL", "crm.example.com"),
        ("TRUSTED_PROXIES", "everybody"),
        ("POOL_SIZE", "1"),
    ],
)
def test_says_which_one_is_wrong(name, value):
    with pytest.raises(BadSetting) as raised:
        Settings.load({f"ALFRED_{name}": value, "ALFRED_HOST": "0.0.0.0"})
    lines = str(raised.value).splitlines()
    assert {line.partition(": ")[0] for line in lines} == {f"ALFRED_{name}"}
    assert "short" not in str(raised.value)  # a secret is never shown


def test_says_every_one_that_is_wrong():
    with pytest.raises(BadSetting) as raised:
        Settings.load({"ALFRED_PORT": "x", "ALFRED_PRT": "1", "ALFRED_LOG_LEVEL": "x"})
    assert {line.partition(":")[0] for line in str(raised.value).splitlines()} == {
        "ALFRED_PORT",
        "ALFRED_PRT",
        "ALFRED_LOG_LEVEL",
    }


def test_secrets_are_not_shown():
    settings = Settings.load({"ALFRED_JWT_SECRET": SECRET, "ALFRED_DATABASE_URL": "postgresql://u:hidden@h/d"})
    assert SECRET not in repr(settings)
    assert "hidden" not in repr(settings)


def test_it_is_frozen():
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.port = 1


def complaint(**values):
    with pytest.raises(BadSetting) as raised:
        Settings.load({f"ALFRED_{name}": value for name, value in values.items()})
    return str(raised.value)


@pytest.mark.parametrize("junk", ["hidden!", "-1", "0", "9" * 400, ",", "1,b", "nan", "postgresql://u:hidden%zz@h/d"])
def test_every_setting_is_told_in_our_own_words(junk):
    environ = {f"ALFRED_{name.upper()}": junk for name in Settings.model_fields}
    with pytest.raises(BadSetting) as raised:
        Settings.load(environ)
    lines = str(raised.value).splitlines()
    assert len({line.partition(":")[0] for line in lines}) == len(lines) > 20
    for words in ("should", "Input", "Value error", "valid ", "hidden", "not permitted"):
        assert words not in str(raised.value)


def test_a_secret_may_be_a_file(tmp_path):
    (file := tmp_path / "secret").write_text(f"{SECRET}\n")
    (url := tmp_path / "url").write_text("postgresql://u:p@h/d")
    settings = Settings.load({"ALFRED_JWT_SECRET_FILE": str(file), "ALFRED_DATABASE_URL_FILE": str(url)})
    assert [key.get_secret_value() for key in settings.jwt_secret] == [SECRET]
    assert settings.database_url.get_secret_value() == "postgresql://u:p@h/d"


@pytest.mark.parametrize("name", secret_settings())
def test_every_secret_may_be_a_file_but_not_both(name, tmp_path):
    (file := tmp_path / "secret").write_text("")
    told = complaint(**{f"{name.upper()}_FILE": str(file)})
    assert told == f"ALFRED_{name.upper()}_FILE: {file} is empty"
    file.write_text("hidden")
    told = complaint(**{f"{name.upper()}_FILE": str(file), name.upper(): SECRET})
    assert told.startswith(f"ALFRED_{name.upper()} and ALFRED_{name.upper()}_FILE are both set")


def test_a_file_that_holds_no_secret_is_a_sentence(tmp_path):
    missing = tmp_path / "missing"
    assert complaint(SECRET_KEY_FILE=str(missing)).endswith("missing cannot be read: No such file or directory")
    (binary := tmp_path / "binary").write_bytes(b"\xff" * 40)
    assert complaint(SECRET_KEY_FILE=str(binary)).endswith("is not text in UTF-8")
    assert complaint(SECRET_KEY_FILE="/dev/zero").endswith("is too long for a secret")
    assert complaint(PORT_FILE=str(binary)) == "ALFRED_PORT_FILE: no such setting"
    binary.write_text("hidden")
    assert "hidden" not in complaint(JWT_SECRET_FILE=str(binary))
