from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.settings import LONGEST_SOCKET_PATH, Settings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FISCAL_{name.upper()}", raising=False)


class TestReading:
    def test_a_setting_comes_from_its_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FISCAL_WORKER_THREADS", "5")
        monkeypatch.setenv("FISCAL_TSA_URLS", '["http://one/tsp/", "http://two"]')

        settings = Settings()

        assert settings.worker_threads == 5
        assert settings.tsa_urls == ("http://one/tsp", "http://two")

    def test_an_empty_variable_means_the_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FISCAL_DATABASE_DSN", "")

        assert Settings().database_dsn is None

    def test_a_dotenv_file_is_not_read(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_text("FISCAL_WORKER_THREADS=5\n")
        monkeypatch.chdir(tmp_path)

        assert Settings().worker_threads == 32

    def test_secrets_do_not_show(self) -> None:
        settings = Settings.model_validate({"database_dsn": "postgresql://u:hush@h/d"})

        assert "hush" not in repr(settings)

    def test_settings_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError):
            Settings().api_port = 1  # type: ignore[misc]


class TestRefusals:
    def test_a_lease_that_ends_before_a_document_can_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="lease_seconds must be longer"):
            Settings(lease_seconds=36, connect_timeout_seconds=3, answer_timeout_seconds=15)

    @pytest.mark.parametrize("url", ["", "fs.tax.gov.ua", "ftp://host/fs"])
    def test_an_address_that_is_not_http_is_refused(self, url: str) -> None:
        with pytest.raises(ValidationError):
            Settings(fiscal_server_url=url)

    def test_a_webhook_without_a_secret_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="alarm_webhook_secret"):
            Settings(alarm_webhook_url="https://example.org/hook")

    def test_mail_without_a_server_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="smtp_host"):
            Settings(alarm_email_to=("head@example.org",))


class TestSignerSocket:
    def test_it_lies_in_the_data_folder(self) -> None:
        data_dir = Path("/srv/fiscal")

        assert Settings(data_dir=data_dir).signer_socket == Path("/srv/fiscal/signer/agent.sock")

    def test_it_stays_short_and_the_same_for_every_process_when_the_folder_is_deep(self) -> None:
        deep = Path("/srv") / ("x" * 150)

        first, second = Settings(data_dir=deep), Settings(data_dir=deep)
        other = Settings(data_dir=deep / "other")

        assert len(bytes(first.signer_socket)) <= LONGEST_SOCKET_PATH
        assert first.signer_socket == second.signer_socket != other.signer_socket

    def test_a_relative_data_folder_becomes_absolute(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)

        assert Settings(data_dir=Path("data")).data_dir == tmp_path / "data"
