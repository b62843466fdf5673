"""Run the whole product: database, broker, web server, worker and beat."""

import contextlib
import errno
import fcntl
import http.client
import json
import os
import signal
import socket
import sys

from evalapp.runtime import children, paths, web
from evalapp.runtime.console import Console, parse_record
from evalapp.runtime.postgres import Postgres, PostgresError
from evalapp.runtime.supervisor import Child, ChildFailed, StopRequested, Supervisor
from evalapp.runtime.valkey import Valkey, ValkeyError


class UpError(Exception):
    """Why the product cannot be started, in words for the person at the terminal."""


def add_arguments(parser):
    """Declare the arguments of `web`, and what concerns the whole."""
    web.add_arguments(parser)
    parser.add_argument("--no-demo", action="store_true", help="make no demo project on the first start")
    parser.add_argument("--verbose", action="store_true", help="show every line of every process")


def run(options):
    """Start, keep running until Ctrl-C, stop. Returns the exit code."""
    home = paths.home()
    console = Console(verbose=options.verbose)
    try:
        paths.make_home(home)
        # As root the home can be passed through, and it will hold uploads and mail: for nobody else to read.
        os.umask(0o077)
        with only_one(home) as lock:
            options.port = free_port(options.host, options.port)
            return Up(home, options, console, lock).run()
    except (UpError, PostgresError, ValkeyError, paths.UnsafeFolder) as error:
        print(f"evalapp up: {error}", file=sys.stderr)
    except OSError as error:
        print(f"evalapp up: {error.strerror}: {error.filename or home}", file=sys.stderr)
    return 1


@contextlib.contextmanager
def only_one(home):
    """Hold the home's lock. Raises UpError naming the address of the one that runs already."""
    # Never inherited, so a child that outlives us by a moment cannot keep the lock.
    with (home / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            with contextlib.suppress(ValueError):
                running = json.loads(lock.read())
                raise UpError(
                    f"it is already running at {running['url']} (process {running['pid']}). "
                    "Stop that one with Ctrl-C, or set EVALAPP_HOME to run a second one."
                ) from None
            raise UpError(f"another start is under way in {home}.") from None
        lock.truncate(0)
        yield lock


def free_port(host, port):
    """Return the port, chosen by the system when it is 0. Raises UpError when we cannot listen there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do, or connections of the last run that linger would look like a server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
            return probe.getsockname()[1]
    except socket.gaierror:
        raise UpError(f"{host} is no address of this machine. Choose one with --host.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UpError(
                f"port {port} on {host} is taken by another program. Choose another: "
                f"python3 manage.py up --port {port + 1}"
            ) from None
        if error.errno == errno.EACCES:
            raise UpError(f"port {port} needs more rights than we have. Choose one with --port 8000.") from None
        raise UpError(f"cannot listen on {host} port {port}: {error.strerror}.") from None


class Up:
    """One run of the product."""

    def __init__(self, home, options, console, lock):
        self.home = home
        self.options = options
        self.console = console
        self.lock = lock
        self.visible_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)
        self.local_url = f"http://{bracketed(self.visible_host)}:{options.port}"
        self.url = os.environ.get("EVALAPP_BASE_URL", "").rstrip("/") or self.local_url
        self.environment = children.child_environment(
            EVALAPP_HOME=str(home), EVALAPP_BASE_URL=self.url, DJANGO_SETTINGS_MODULE="evalapp.settings"
        )
        self.report = {}
        self.migrated = False

    def run(self):
        """Start all, stay, stop all. Returns the exit code."""
        self.supervisor = Supervisor(self.home / "logs", self.console)
        code = 0
        try:
            self.start()
            self.supervisor.run()
        except StopRequested:
            pass
        except ChildFailed as failure:
            self.explain(failure)
            code = 1
        except (PostgresError, ValkeyError, paths.UnsafeFolder) as error:
            print(f"evalapp up: {error}", file=sys.stderr)
            code = 1
        finally:
            self.console.say("Stopping.")
            self.supervisor.stop()
            self.remove_sockets()
        self.console.say("Stopped.")
        return code

    def start(self):
        """Start every part, in the order in which they need each other."""
        self.note_address()
        prepare = self.start_prepare()
        if not os.environ.get("DATABASE_URL"):
            self.start_postgres()
        if not os.environ.get("CELERY_BROKER_URL"):
            self.start_valkey()
        self.supervisor.wait(lambda: self.migrated, "bringing the database up to date", child=prepare)
        self.start_web(prepare)
        self.supervisor.start(self.python_child("worker", "worker", "--beat"))
        self.greet()

    def note_address(self):
        """Write into the lock where we run, for whoever starts a second time."""
        self.lock.write(json.dumps({"url": self.url, "pid": os.getpid()}))
        self.lock.flush()

    def start_postgres(self):
        """Make the cluster on the first start, run the server, and wait however long recovery takes."""
        postgres = Postgres(self.home, say=self.console.say)
        if not postgres.exists():
            self.console.say("Making the database.")
        postgres.make()
        child = Child(
            "postgres",
            postgres.command(),
            # INT: "fast shutdown", open transactions are rolled back. QUIT: at once, recovered at the next start.
            stop_signal=signal.SIGINT,
            last_signal=signal.SIGQUIT,
            death_signal=signal.SIGINT,
            patience=4,
            service=True,
            before_start=postgres.clear_the_way,
            options={"env": postgres.environment(), "account": postgres.account, "cwd": postgres.place},
        )
        self.start_patiently(child, lambda: postgres.state() == "ready", "starting the database")

    def start_patiently(self, child, ready, what, tries=10):
        """Start a service and wait until it is ready; what an earlier run left may be in its way for a moment."""
        self.supervisor.start(child)
        for attempt in range(tries):
            try:
                self.supervisor.wait(ready, what, child=child)
                return
            except ChildFailed:
                if attempt == tries - 1:
                    raise
                self.supervisor.wait(lambda: child.running, what, seconds=60)

    def start_valkey(self):
        """Run the broker."""
        folder = paths.socket_dir(self.home)
        if not folder.exists():
            paths.make_socket_dir(folder, os.geteuid())
        valkey = Valkey(self.home)
        child = Child(
            "valkey",
            valkey.command(),
            death_signal=signal.SIGTERM,
            patience=1,
            service=True,
            # It complains of a locale that the machine lacks, which ssh often brings along.
            options={"env": self.environment | {"LC_ALL": "C"}},
        )
        self.start_patiently(child, valkey.ready, "starting the broker")

    def python_child(self, name, *arguments, **options):
        """Return a child that runs one of our own commands, with the Python that runs us."""
        command = [sys.executable, str(paths.REPOSITORY / "manage.py"), *arguments]
        return Child(name, command, patience=4, options={"env": self.environment, "cwd": self.home}, **options)

    def start_prepare(self):
        """Start what collects the static files, migrates, and makes what a first start needs.

        It begins while the database is being made, since a second of it needs none, and the web server loads
        while it ends.
        """
        arguments = ["--no-demo"] if self.options.no_demo else []
        child = self.python_child("prepare", "prepare", *arguments, keep=False, on_line=self.hear)
        self.supervisor.start(child)
        return child

    def hear(self, line):
        """Keep what `prepare` reports for the greeting; its progress is shown at once."""
        record = parse_record(line)
        if record is None:
            self.console.say(line)
        elif "level" in record:
            self.console.child_line("prepare", line)
        else:
            self.migrated = True
            self.report |= record

    def start_web(self, prepare):
        """Run the web server and wait until it answers, and until everything is prepared."""
        options = self.options
        child = self.python_child(
            "web",
            "web",
            *("--host", options.host, "--port", str(options.port)),
            *("--workers", str(options.workers), "--threads", str(options.threads)),
        )
        self.supervisor.start(child)
        self.supervisor.wait(self.answers, "starting the web server", child=child, seconds=120, every=0.1)

        def prepared():  # its last line may arrive after the news of its end
            return prepare.exit_code == 0 and prepare.output_ended

        self.supervisor.wait(prepared, "making the demo project", child=prepare)

    def answers(self):
        """Tell whether the web server, and what it needs, is ready."""
        connection = http.client.HTTPConnection(self.visible_host, self.options.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def greet(self):
        """Say where it is and how to come in."""
        lines = ["", f"evalapp is running at {self.url}", *self.report.get("messages", [])]
        if link := self.report.get("sign_in_url"):
            lines += ["", "Sign in (works once, for 24 hours):", f"  {link}"]
        if demo := self.report.get("demo"):
            keys = f"{self.url}/project/{demo['project_id']}/settings/api-keys"
            lines += ["", f"API key of the demo project `{demo['project_id']}`:"]
            lines += [f"  public key  {demo['public_key']}"] if demo["public_key"] else []
            lines += [f"  secret key  {demo['secret_key'] or f'was shown at the first start; a new one: {keys}'}"]
        if self.options.host in ("0.0.0.0", "::") and not os.environ.get("EVALAPP_BASE_URL"):
            lines += ["", "Other machines get in when EVALAPP_BASE_URL is the address that they use."]
        lines += ["", f"Logs: {self.home / 'logs'}", "Ctrl-C stops it."]
        self.console.say("\n".join(lines))

    def remove_sockets(self):
        """Remove the folder of the sockets: it lies outside the home."""
        folder = paths.socket_dir(self.home)
        with contextlib.suppress(OSError):  # something in it is still alive, or it never was made
            (folder / "valkey.sock").unlink(missing_ok=True)
            folder.rmdir()

    def explain(self, failure):
        """Print why the start failed, with the end of what the child said."""
        error, child = failure.args
        print(f"evalapp up: {error}", file=sys.stderr)
        if child is not None:
            log = self.home / "logs" / f"{child.name}.log"
            print(f"The end of {log}:", *child.tail, sep="\n  ", file=sys.stderr)


def bracketed(host):
    """Return the host as a URL writes it."""
    return f"[{host}]" if ":" in host else host
