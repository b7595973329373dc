"""``python -m infra.simulator``: a tax service of one's own on this machine."""

import argparse
import contextlib
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from infra.signing.development import DevelopmentKeyStore, Holder, KeyPurpose
from infra.signing.timestamp import TimestampAuthority
from infra.simulator.envelope import CmsEnvelope, stamper
from infra.simulator.journal import FileJournal
from infra.simulator.registry import RegistryEntries
from infra.simulator.server import SimulatorServer
from infra.simulator.simulator import Simulator
from infra.simulator.switches import Switches


class _SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def build_simulator(data_dir: Path, *, switches: Switches | None = None) -> Simulator:
    """A simulator that keeps its keys and its book in a folder and goes on from there."""
    clock = _SystemClock()
    keys = DevelopmentKeyStore(data_dir / "keys")
    server_key = keys.ensure(
        "tax-service", Holder("Фіскальний сервер (симулятор)"), purpose=KeyPurpose.TICKETS
    )
    stamp_key = keys.ensure(
        "time-stamps", Holder("Позначки часу (симулятор)"), purpose=KeyPurpose.TIMESTAMPS
    )
    authority = TimestampAuthority(stamp_key.signer, clock=clock.now)
    return Simulator(
        clock=clock,
        envelope=CmsEnvelope(
            signer=server_key.signer, stamp=stamper(authority, suite=server_key.signer.suite)
        ),
        authority=authority,
        switches=switches,
        journal=FileJournal(data_dir / "book.jsonl"),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until it is told to end; returns the exit status."""
    options = _parser().parse_args(arguments)
    switches = Switches()
    if options.switches is not None:
        switches = Switches.model_validate_json(options.switches.read_bytes())
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="simulator-"))
        simulator = build_simulator(options.data_dir or Path(temporary), switches=switches)
        stack.callback(simulator.close)
        if options.registry is not None:
            entries = RegistryEntries.model_validate_json(options.registry.read_bytes())
            for company in entries.companies:
                simulator.set_up(company)
        server = SimulatorServer(
            simulator,
            host=options.host,
            port=options.port,
            admin_port=options.admin_port,
            admin_from_anywhere=options.admin_from_anywhere,
        )

        def tell() -> None:
            sys.stdout.write(f"simulator {server.base_url}/fs admin {server.admin_url}/admin\n")
            sys.stdout.flush()

        uvloop.run(server.serve(on_started=tell))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.simulator",
        description="A tax service to test against and to try the product with.",
        epilog="Cut it off its clients' network and back: curl -X PUT "
        "http://127.0.0.1:8609/admin/network/off (or on); with --admin-port, on that port.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8609, help="port of /fs and /tsa; 0: any")
    parser.add_argument(
        "--admin-port",
        type=int,
        default=None,
        help="own port for /admin: then the public port really closes when cut off",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=None,
        help="folder of its keys and its book; without it, all is forgotten at the end",
    )
    parser.add_argument(
        "--registry", type=Path, default=None, help="JSON file of companies to register at start"
    )
    parser.add_argument(
        "--switches", type=Path, default=None, help="JSON file of switches that differ"
    )
    parser.add_argument(
        "--admin-from-anywhere",
        action="store_true",
        help="answer /admin beyond the loopback address (containers)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
