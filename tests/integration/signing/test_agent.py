import os
import socket
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from domain.errors import SignerUnavailable
from infra.signing import cms
from infra.signing.agent import AgentRunningError, SigningAgent, peer_uid
from infra.signing.agent_wire import MAX_BODY, MAX_HEADER
from infra.signing.client import AgentSigner
from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.errors import KeyStoreError
from tests.support.signing_agent import ROOT, AgentProcess

HOLDER = Holder("Касир", personal_code="1234567890")


class TestCrash:
    def test_a_killed_agent_is_reported_and_its_successor_used(
        self, agent: AgentProcess, client: AgentSigner
    ) -> None:
        before = client.ensure_development_key("cashier", HOLDER)
        agent.kill()
        with pytest.raises(SignerUnavailable) as caught:
            client.sign(key_id="cashier", content=b"x")
        assert caught.value.retryable
        agent.start()
        assert cms.parse(client.sign(key_id="cashier", content=b"x")).content == b"x"
        assert client.describe(key_id="cashier") == before

    def test_a_restart_between_calls_is_not_noticed(
        self, agent: AgentProcess, client: AgentSigner
    ) -> None:
        client.ensure_development_key("cashier", HOLDER)
        first = agent.pid
        agent.kill()
        assert agent.socket_path.exists()
        agent.start()
        assert agent.pid != first
        client.sign(key_id="cashier", content=b"x")

    def test_an_agent_that_never_ran_is_unavailable(self, short_folder: Path) -> None:
        client = AgentSigner(short_folder / "agent.sock")
        with pytest.raises(SignerUnavailable, match="No such file"):
            client.health()

    def test_a_silent_agent_is_unavailable_in_time(self, short_folder: Path) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(short_folder / "agent.sock"))
            listener.listen()
            client = AgentSigner(short_folder / "agent.sock", timeout_seconds=0.2)
            with pytest.raises(SignerUnavailable, match="did not answer in time"):
                client.sign(key_id="cashier", content=b"x")


class TestStartAndStop:
    def test_a_second_agent_does_not_start(self, agent: AgentProcess, client: AgentSigner) -> None:
        second = agent.spawn()
        _, said = second.communicate(timeout=30)
        assert second.returncode == 1
        assert "already serves" in said
        assert client.health()["pid"] == agent.pid

    def test_a_stopped_agent_leaves_no_socket(
        self, agent: AgentProcess, client: AgentSigner
    ) -> None:
        client.ensure_development_key("cashier", HOLDER)
        assert agent.stop() == 0
        assert not agent.socket_path.exists()

    def test_requests_in_hand_are_answered_while_stopping(
        self, agent: AgentProcess, client: AgentSigner
    ) -> None:
        client.ensure_development_key("cashier", HOLDER)
        outcomes: list[bytes | None] = []

        def sign_until_refused() -> None:
            while True:
                try:
                    outcomes.append(client.sign(key_id="cashier", content=bytes(100_000)))
                except SignerUnavailable:
                    outcomes.append(None)
                    return

        threads = [threading.Thread(target=sign_until_refused) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert agent.stop() == 0
        for thread in threads:
            thread.join()
        signed = [outcome for outcome in outcomes if outcome is not None]
        assert len(outcomes) - len(signed) == 4
        for message in signed:
            cms.verify(cms.parse(message), trust=None)

    def test_socket_and_folder_are_closed_to_others(self, agent: AgentProcess) -> None:
        assert agent.socket_path.stat().st_mode & 0o777 == 0o600
        assert agent.socket_path.parent.stat().st_mode & 0o777 == 0o700

    def test_a_folder_open_to_others_is_refused(self, short_folder: Path) -> None:
        keys = DevelopmentKeyStore(short_folder / "keys")
        (short_folder / "open").mkdir()
        (short_folder / "open").chmod(0o755)
        with pytest.raises(KeyStoreError, match="0700"):
            SigningAgent(socket_path=short_folder / "open" / "agent.sock", keys=keys)

    def test_a_path_too_long_for_a_socket_is_refused_and_can_be_corrected(
        self, short_folder: Path
    ) -> None:
        keys = DevelopmentKeyStore(short_folder / "keys")
        with pytest.raises(OSError, match="too long"):
            SigningAgent(socket_path=short_folder / ("a" * 120) / "agent.sock", keys=keys)
        agent = SigningAgent(socket_path=short_folder / "signer" / "agent.sock", keys=keys)
        with pytest.raises(AgentRunningError):
            SigningAgent(socket_path=short_folder / "signer" / "agent.sock", keys=keys)
        agent.close()
        agent.close()

    def test_memory_is_kept_out_of_dumps(self) -> None:
        script = (
            "import ctypes, resource\n"
            "from infra.signing.agent import protect_memory\n"
            "protect_memory()\n"
            "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "(0, 0) 0"


class TestWhoIsServed:
    def test_another_user_is_turned_away(self, short_folder: Path) -> None:
        agent = SigningAgent(
            socket_path=short_folder / "signer" / "agent.sock",
            keys=DevelopmentKeyStore(short_folder / "keys"),
            user_id=os.geteuid() + 1,
        )
        serving = threading.Thread(target=agent.serve)
        serving.start()
        try:
            with pytest.raises(SignerUnavailable):
                AgentSigner(short_folder / "signer" / "agent.sock").health()
        finally:
            agent.stop()
            serving.join()
            agent.close()

    def test_the_peers_user_is_known(self) -> None:
        left, right = socket.socketpair(socket.AF_UNIX)
        with left, right:
            assert peer_uid(left) == os.geteuid()


class TestBadRequests:
    @pytest.mark.parametrize(
        "frame",
        [
            struct.pack(">II", MAX_HEADER + 1, 0),
            struct.pack(">II", 2, MAX_BODY + 1) + b"{}",
            struct.pack(">II", 2**32 - 1, 2**32 - 1),
            struct.pack(">II", 3, 0) + b"{x}",
            struct.pack(">II", 2, 0) + b"[]",
            struct.pack(">II", 2, 0) + b"{}" + b"more",
            b"\x00\x00",
        ],
    )
    def test_a_frame_that_makes_no_sense_ends_its_connection_only(
        self, shared_agent: AgentProcess, frame: bytes
    ) -> None:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            peer.connect(str(shared_agent.socket_path))
            peer.sendall(frame)
            peer.shutdown(socket.SHUT_WR)
            assert peer.recv(100) == b""
        with AgentSigner(shared_agent.socket_path) as client:
            assert client.health()["pid"] == shared_agent.pid

    @pytest.mark.parametrize(
        "header", [{}, {"op": "export"}, {"op": "sign"}, {"op": "sign", "key_id": 5}]
    )
    def test_an_unknown_operation_is_answered(
        self, shared_agent: AgentProcess, header: dict[str, object]
    ) -> None:
        body = orjson.dumps(header)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(5)
            peer.connect(str(shared_agent.socket_path))
            peer.sendall(struct.pack(">II", len(body), 0) + body)
            assert b'"bad-request"' in peer.recv(1_000)

    def test_content_above_the_limit_is_refused_before_it_is_sent(
        self, shared_agent: AgentProcess
    ) -> None:
        client = AgentSigner(shared_agent.socket_path)
        with pytest.raises(ValueError, match="more than"):
            client.sign(key_id="cashier", content=bytes(MAX_BODY + 1))

    def test_an_unusable_key_name_and_another_holder_are_told(
        self, shared_agent: AgentProcess
    ) -> None:
        with AgentSigner(shared_agent.socket_path) as client:
            with pytest.raises(KeyStoreError, match="key's name"):
                client.ensure_development_key("../x", HOLDER)
            client.ensure_development_key("held", HOLDER)
            with pytest.raises(KeyStoreError, match="another holder"):
                client.ensure_development_key("held", Holder("Інша"))


class TestManyCallers:
    def test_threads_share_a_client(self, shared_agent: AgentProcess) -> None:
        with AgentSigner(shared_agent.socket_path) as client:
            client.ensure_development_key("cashier", HOLDER)
            contents = [f"receipt {number}".encode() for number in range(200)]
            with ThreadPoolExecutor(8) as pool:
                signed = list(
                    pool.map(lambda each: client.sign(key_id="cashier", content=each), contents)
                )
        messages = [cms.parse(each) for each in signed]
        assert [message.content for message in messages] == contents
        for message in messages:
            cms.verify(message, trust=None)

    def test_a_forked_process_does_not_read_its_parents_answers(
        self, shared_agent: AgentProcess
    ) -> None:
        script = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from infra.signing import cms\n"
            "from infra.signing.client import AgentSigner\n"
            "client = AgentSigner(Path(sys.argv[1]))\n"
            "client.health()\n"
            "child = os.fork()\n"
            "own = b'child' if child == 0 else b'parent'\n"
            "for _ in range(100):\n"
            "    assert cms.parse(client.sign(key_id='cashier', content=own)).content == own\n"
            "client.close()\n"
            "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        )
        with AgentSigner(shared_agent.socket_path) as client:
            client.ensure_development_key("cashier", HOLDER)
        command = [sys.executable, "-W", "error", "-c", script, str(shared_agent.socket_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")

    def test_keys_are_listed(self, short_folder: Path) -> None:
        with AgentProcess(short_folder) as agent, AgentSigner(agent.socket_path) as client:
            assert client.list_keys() == ()
            first = client.ensure_development_key("a", HOLDER)
            second = client.ensure_development_key("b", HOLDER, purpose=KeyPurpose.TIMESTAMPS)
            assert client.list_keys() == (first, second)
            assert client.health()["keys"] == 2
