from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import KeyUnknown
from domain.ports import KeyKind
from infra.signing.certificate import EKU_TIME_STAMPING
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.errors import KeyStoreError
from infra.signing.local_signer import LocalSigner

PERSON = Holder("Шевченко Тарас", personal_code="1234567890", company_code="12345678")


class TestEnsure:
    def test_a_key_says_that_it_is_for_development(self, tmp_path: Path) -> None:
        store = DevelopmentKeyStore(tmp_path / "keys")
        description = store.ensure("cashier-1", PERSON).description
        assert description.kind is KeyKind.DEVELOPMENT
        assert (description.key_id, description.owner) == ("cashier-1", "Шевченко Тарас")
        assert len(bytes.fromhex(description.subject_key_id)) == 32

    def test_the_tax_id_is_the_companys_else_the_persons(self, tmp_path: Path) -> None:
        store = DevelopmentKeyStore(tmp_path / "keys")
        assert store.ensure("employee", PERSON).description.tax_id == "12345678"
        alone = Holder("Касир", personal_code="1234567890")
        assert store.ensure("alone", alone).description.tax_id == "1234567890"
        assert store.ensure("service", Holder("Служба")).description.tax_id is None

    def test_the_same_name_is_the_same_key_also_for_another_process(self, tmp_path: Path) -> None:
        first = DevelopmentKeyStore(tmp_path / "keys")
        second = DevelopmentKeyStore(tmp_path / "keys")
        key = first.ensure("cashier", PERSON)
        assert second.ensure("cashier", PERSON).description == key.description
        assert second.authority_certificate == first.authority_certificate

    def test_many_at_once_get_one_key(self, tmp_path: Path) -> None:
        stores = [DevelopmentKeyStore(tmp_path / "keys") for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            keys = list(pool.map(lambda store: store.ensure("cashier", PERSON), stores))
        assert len({key.signer.certificate for key in keys}) == 1
        assert len({store.authority_certificate for store in stores}) == 1
        assert keys[0].signer.certificate.verify_signed_by(stores[0].authority_certificate)

    def test_a_name_given_to_another_holder_is_refused(self, tmp_path: Path) -> None:
        store = DevelopmentKeyStore(tmp_path / "keys")
        store.ensure("cashier", PERSON)
        with pytest.raises(KeyStoreError, match="another holder"):
            store.ensure("cashier", Holder("Інша"))

    @pytest.mark.parametrize("key_id", ["", "..", "../x", "a/b", ".hidden", "ключ", "a" * 101])
    def test_an_unusable_name_is_refused(self, tmp_path: Path, key_id: str) -> None:
        store = DevelopmentKeyStore(tmp_path / "keys")
        with pytest.raises(KeyStoreError):
            store.ensure(key_id, PERSON)
        with pytest.raises(KeyUnknown):
            store.open(key_id)

    def test_a_name_as_long_as_real_ones_is_kept_whole(self, tmp_path: Path) -> None:
        store = DevelopmentKeyStore(tmp_path / "keys")
        holder = Holder("Д" * 130, organization="О" * 200)
        key = store.ensure("long", holder)
        assert key.description.owner == "Д" * 130
        assert key.signer.certificate.subject.organization == "О" * 200
        assert store.ensure("long", holder) is key

    def test_only_a_time_stamp_key_may_stamp(self, tmp_path: Path) -> None:
        store = DevelopmentKeyStore(tmp_path / "keys")
        tsa = store.ensure("tsa", Holder("TSP"), purpose=KeyPurpose.TIMESTAMPS)
        tickets = store.ensure("tickets", Holder("ДПС"), purpose=KeyPurpose.TICKETS)
        assert tsa.signer.certificate.extended_key_usage == frozenset({EKU_TIME_STAMPING})
        assert tickets.signer.certificate.extended_key_usage is None

    def test_the_clock_dates_certificates(self, tmp_path: Path) -> None:
        now = datetime(2030, 5, 1, tzinfo=UTC)
        store = DevelopmentKeyStore(tmp_path / "keys", clock=lambda: now)
        description = store.ensure("cashier", PERSON).description
        assert description.valid_from < now < description.valid_to
        assert description.valid_to - now > timedelta(days=700)
        store.trust_anchors().check(store.open("cashier").signer.certificate, at=now)


class TestFiles:
    def test_folders_and_files_are_closed_to_others(self, tmp_path: Path) -> None:
        folder = tmp_path / "keys"
        DevelopmentKeyStore(folder).ensure("cashier", PERSON)
        paths = list(folder.rglob("*"))
        assert sorted(path.name for path in paths) == ["authority.pem", "cashier.pem", "keys"]
        for path in (folder, *paths):
            assert path.stat().st_mode & 0o077 == 0, path

    def test_an_open_folder_is_refused(self, tmp_path: Path) -> None:
        folder = tmp_path / "keys"
        folder.mkdir()
        folder.chmod(0o755)
        with pytest.raises(KeyStoreError, match="0700"):
            DevelopmentKeyStore(folder)

    def test_a_path_that_is_no_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "keys").write_text("")
        with pytest.raises(KeyStoreError):
            DevelopmentKeyStore(tmp_path / "keys")

    @pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\x00" * 100])
    def test_a_damaged_file_is_named(self, tmp_path: Path, content: bytes) -> None:
        DevelopmentKeyStore(tmp_path / "keys").ensure("cashier", PERSON)
        (tmp_path / "keys" / "keys" / "cashier.pem").write_bytes(content)
        with pytest.raises(KeyStoreError, match=r"cashier\.pem is damaged"):
            DevelopmentKeyStore(tmp_path / "keys").open("cashier")


class TestOpen:
    def test_an_unknown_name_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(KeyUnknown) as caught:
            DevelopmentKeyStore(tmp_path / "keys").open("nobody")
        assert caught.value.key_id == "nobody"

    def test_keys_are_listed_in_order(self, tmp_path: Path) -> None:
        store = DevelopmentKeyStore(tmp_path / "keys")
        for key_id in ("b", "a", "c.d"):
            store.ensure(key_id, PERSON)
        assert store.key_ids() == ("a", "b", "c.d")
        assert [key.key_id for key in LocalSigner(store).list_keys()] == ["a", "b", "c.d"]
