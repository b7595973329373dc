"""`fiscal up`: everything one machine needs, started together, watched, and stopped in order."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from infra.cli import parts, standing
from infra.cli.console import Problem, err, load_settings, mention, out
from infra.cli.logs import LogTail, short
from infra.cli.parts import Part
from infra.cli.standing import Standing
from infra.cli.supervisor import Child, Order, Stopped
from infra.settings import Settings
from infra.stopping import hearing

_WORKER_STOP_SECONDS = 70.0
_DATABASE_STOP_SECONDS = 100.0
_LOGS = "logs"

# In which order parts stop: first who takes commands, then who works on them, then what those need.
_STOPS: tuple[tuple[Part, ...], ...] = (
    (parts.API,),
    (parts.WORKER, parts.PROJECTOR),
    (parts.SIGNER, parts.SIMULATOR),
    (parts.DATABASE,),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; port 0 takes a free one."""

    demo: bool
    port: int | None
    simulator_port: int
    quiet: bool


def run(options: Options) -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; return the exit status. Raises: Problem."""
    settings = load_settings()
    data_dir = settings.data_dir
    if standing.is_demo(data_dir) and not options.demo:
        raise Problem(
            f"{data_dir} holds the demonstration network, which the real tax service must not see.",
            next_step="Start it with --demo, or choose another folder with FISCAL_DATA_DIR.",
        )
    with standing.held(data_dir), _signals() as signals:
        deployment = _Deployment(settings, options, signals)
        try:
            deployment.start()
            signals.stop.wait()
        except Stopped:
            mention(err, "Stopped while starting.")
        finally:
            deployment.stop()
    return 0


@dataclass(frozen=True, slots=True)
class _Signals:
    """`stop` is set by the first signal, `hurry` by the second."""

    stop: threading.Event
    hurry: threading.Event


@contextmanager
def _signals() -> Iterator[_Signals]:
    signals = _Signals(threading.Event(), threading.Event())

    def on_signal() -> None:
        (signals.hurry if signals.stop.is_set() else signals.stop).set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    # Ignored when started by nohup: then the end of the terminal is not for us.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    with hearing(numbers, on_signal):
        yield signals


class _Deployment:
    """The child processes of one `fiscal up`."""

    def __init__(self, settings: Settings, options: Options, signals: _Signals) -> None:
        self._options = options
        self._signals = signals
        self._logs = settings.data_dir / _LOGS
        self._logs.mkdir(mode=0o700, exist_ok=True)
        port = options.port if options.port is not None else settings.api_port
        changed: dict[str, object] = {
            "api_port": _free_port(settings.api_host, port, option="--port")
        }
        if options.demo:
            number = _free_port("127.0.0.1", options.simulator_port, option="--simulator-port")
            changed["simulator_url"] = f"http://127.0.0.1:{number}"
        self.settings = settings.model_copy(update=changed)
        self.children: dict[Part, Child] = {
            part: Child(self._order(part), tell=self._tell, spawned=self._record)
            for part in self._wanted()
        }
        self._tail = LogTail(
            {part.name: child.log for part, child in self.children.items()}, self._show
        )
        self._started = False
        self._follows = False
        self._recording = threading.Lock()

    @property
    def api_url(self) -> str:
        """Where people of this machine reach the API."""
        host = self.settings.api_host
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - not bound here
        return f"http://{host}:{self.settings.api_port}"

    def start(self) -> None:
        """Start all parts at once and wait until each is ready. Raises: Problem, Stopped."""
        for child in self.children.values():
            child.start()
        self._tail.start()
        # What this needs takes a moment to load; meanwhile the parts load too.
        from infra.cli.starting import Starting

        with Starting(self.settings, self.children, self._signals.stop) as starting:
            starting.run(api_url=self.api_url)
        self._started = True
        self._record()
        if self._options.demo:
            self._demonstrate()
        else:
            self._say_where()
        self._follows = True

    def stop(self) -> None:
        """Stop all parts in order; the database last."""
        if self._signals.stop.is_set():
            mention(out, "\nStopping. A second Ctrl-C does not wait for work in hand.")
        for group in _STOPS:
            stopping = [self.children[part] for part in group if part in self.children]
            for child in stopping:
                child.ask_to_stop()
            for child in stopping:
                # The database always finishes: a killed one would have to recover.
                hurry = child.name != parts.DATABASE.name and self._signals.hurry.is_set
                if not child.wait_until_stopped(hurry or (lambda: False)):
                    mention(err, f"[yellow]{child.name} did not stop and was killed[/]")
        self._tail.stop()
        if self._signals.stop.is_set():
            mention(out, "Stopped.")

    # --- making -------------------------------------------------------------------------------------

    def _wanted(self) -> list[Part]:
        wanted = [parts.SIGNER, parts.API, parts.WORKER, parts.PROJECTOR]
        if self.settings.database_dsn is None:
            wanted.insert(0, parts.DATABASE)
        if self._options.demo:
            wanted.append(parts.SIMULATOR)
        return wanted

    def _order(self, part: Part) -> Order:
        data_dir = self.settings.data_dir
        arguments: tuple[str, ...] = ()
        if part is parts.SIMULATOR:
            assert self.settings.simulator_url is not None
            port = self.settings.simulator_url.rpartition(":")[2]
            arguments = ("--port", port, "--data-dir", str(data_dir / "simulator"))
        stop_seconds = {
            parts.API: self.settings.stop_within_seconds + 10,
            parts.WORKER: _WORKER_STOP_SECONDS,
            parts.DATABASE: _DATABASE_STOP_SECONDS,
        }
        return Order(
            part=part,
            environment=self._environment(part),
            log=self._logs / f"{part.name}.log",
            arguments=arguments,
            stop_seconds=stop_seconds.get(part, 20.0),
        )

    def _environment(self, part: Part) -> Mapping[str, str]:
        changed = {
            "FISCAL_DATA_DIR": str(self.settings.data_dir),
            "FISCAL_API_PORT": str(self.settings.api_port),
        }
        if self.settings.simulator_url is not None:
            changed["FISCAL_SIMULATOR_URL"] = self.settings.simulator_url
        if part is parts.PROJECTOR and self.settings.metrics_port:
            # The setting names one port, and the worker has it.
            changed["FISCAL_METRICS_PORT"] = str(self.settings.metrics_port + 1)
        return {**os.environ, **changed}

    def _record(self) -> None:
        """Record where the parts are, once they have all started and whenever one was started again."""
        if not self._started or self._signals.stop.is_set():
            return
        with self._recording:
            standing.write(
                self.settings.data_dir,
                Standing(
                    pid=os.getpid(),
                    api_url=self.api_url,
                    simulator_url=self.settings.simulator_url,
                    parts={child.name: child.pid or 0 for child in self.children.values()},
                ),
            )

    # --- saying -------------------------------------------------------------------------------------

    def _demonstrate(self) -> None:
        from infra.cli.demo import demonstrate
        from infra.cli.demo_report import report

        demonstration = demonstrate(self.settings, api_url=self.api_url, stop=self._signals.stop)
        report(demonstration, settings=self.settings, api_url=self.api_url, logs=self._logs)

    def _say_where(self) -> None:
        from infra.cli.starting import say_administrator

        say_administrator(self.settings)
        out.print(f"API            {self.api_url}/v1   documentation {self.api_url}/docs")
        out.print(f"Logs           {self._logs}", soft_wrap=True)
        out.print("`fiscal doctor` says what is configured and what is missing. Ctrl-C stops all.")

    def _tell(self, sentence: str) -> None:
        mention(err, f"[bold yellow]![/] {sentence}")

    def _show(self, part: str, line: str) -> None:
        text, style = short(part, line)
        if style is not None or (self._follows and not self._options.quiet):
            mention(err, text, style=style or "dim", markup=False)


def _free_port(host: str, port: int, *, option: str) -> int:
    """Return the port if it is free, a free one for 0. Raises: Problem."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Problem(
                f"Port {port} of {host} cannot be used: {error.strerror}.",
                next_step=f"Choose another one with {option}; 0 takes any.",
            ) from error
        number: int = probe.getsockname()[1]
        return number
