"""Containers without Docker: Debian's podman with a store, networks and a socket of its own, all in one folder.

Base images come from no registry: `debootstrap` makes Debian with its Python 3.11, which bears the name that the
Dockerfile asks for. So what is proven is the Dockerfile and what it makes, not the base that a deployment has.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sf_assets_tests.production.processes import until

ROOT = Path(__file__).parents[2]
NEEDED = ("podman", "runc", "debootstrap", "iptables", "docker-compose")
PACKAGES = (*NEEDED, "netavark", "aardvark-dns")
PYTHON, POSTGRES = "docker.io/library/python:3.11-slim-bookworm", "docker.io/library/postgres:15-bookworm"
DEBIAN = "--include=python3,python3-venv,python-is-python3,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
GROUP = 990
"""Who may speak to the socket, as `docker` is elsewhere."""
CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
POSTGRES_FILE = f"""\
FROM {PYTHON}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15
COPY start.sh /start.sh
VOLUME /var/lib/postgresql/data
CMD ["sh", "/start.sh"]
"""
POSTGRES_START = """\
set -e
data=/var/lib/postgresql/data bin=$(ls -d /usr/lib/postgresql/*/bin)
chown postgres $data
as() { su postgres -c "$1"; }
if [ ! -s $data/PG_VERSION ]; then
  (umask 077 && echo "$POSTGRES_PASSWORD" > /tmp/password && chown postgres /tmp/password)
  as "$bin/initdb -D $data -U $POSTGRES_USER --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256"
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  as "$bin/pg_ctl -D $data -w start -o '-c listen_addresses='"
  as "createdb -U $POSTGRES_USER $POSTGRES_DB"
  as "$bin/pg_ctl -D $data -w stop"
fi
exec su postgres -c "exec $bin/postgres -D $data -c listen_addresses='*'"
"""


def missing() -> list[str]:
    """Return the Debian packages that this machine lacks."""
    return [name for name in NEEDED if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]


@dataclass
class Engine:
    """A podman of its own; `socket` speaks Docker's language while `serve` has not been ended."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="image-")))
    stop_event: threading.Event = field(default_factory=threading.Event)
    service: subprocess.Popen[bytes] | None = None
    nurse: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.folder.chmod(0o755)
        (self.folder / "containers.conf").write_text(CONFIGURATION)
        (self.folder / "pip.conf").write_text(_pip_configuration())

    @property
    def store(self) -> Path:
        """Where the images are: in the folder, or where the one who asks wants to keep them (IMAGE_STORE)."""
        return Path(os.environ.get("IMAGE_STORE") or self.folder / "store")

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    def command(self, *arguments: str) -> list[str]:
        """Return podman's command line."""
        store = ["--root", str(self.store / "images"), "--runroot", str(self.store / "run")]
        apart = ["--tmpdir", str(self.store / "tmp"), "--network-config-dir", str(self.store / "networks")]
        return ["podman", *store, *apart, *arguments]

    def podman(self, *arguments: str, seconds: float = 600, fails: bool = False) -> str:
        """Run podman to its end and return what it prints; AssertionError, with its last words, when it fails."""
        answer = subprocess.run(
            self.command(*arguments),
            env={**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf")},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert fails or answer.returncode == 0, f"podman {arguments}: {answer.stdout[-2000:]} {answer.stderr[-2000:]}"
        return answer.stdout.strip()

    def bases(self) -> None:
        """Make the two images that the files of deploy/ take from a registry, unless they were kept."""
        if self.has(PYTHON) and self.has(POSTGRES):
            return
        debian, database = self.folder / "debian", self.folder / "database"
        words = ["debootstrap", "--variant=minbase", DEBIAN, "bookworm", str(debian)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=600)
        subprocess.run(["tar", "-C", debian, "-cf", self.folder / "debian.tar", "."], check=True, timeout=300)
        self.podman("import", str(self.folder / "debian.tar"), PYTHON)
        database.mkdir()
        (database / "Dockerfile").write_text(POSTGRES_FILE)
        (database / "start.sh").write_text(POSTGRES_START)
        self.build(database, tag=POSTGRES)

    def has(self, image: str) -> bool:
        return bool(self.podman("images", "--quiet", image))

    def build(self, context: Path, *, tag: str, file: str = "Dockerfile") -> None:
        """Build an image; this machine's certificates and pip's index are lent to it and do not stay."""
        lent = ["-v", f"{self.folder / 'pip.conf'}:/etc/pip.conf:ro"]
        if CERTIFICATES.exists():
            lent += ["-v", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
        options = ["--pull=never", "--isolation=chroot", "--ignorefile", str(context / f"{file}.dockerignore")]
        options = options if (context / f"{file}.dockerignore").exists() else options[:2]
        self.podman("build", *options, *lent, "-f", str(context / file), "-t", tag, str(context), seconds=900)

    def serve(self) -> None:
        """Serve Docker's interface, and ask for the containers' health, which podman leaves to systemd."""
        environment = {**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf")}
        with (self.folder / "service.log").open("wb") as log:
            command = self.command("system", "service", "--time=0", f"unix://{self.socket}")
            self.service = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        until(self.socket.exists)
        os.chown(self.socket, 0, GROUP)
        self.socket.chmod(0o660)
        self.nurse = threading.Thread(target=self._ask_for_health)
        self.nurse.start()

    def _ask_for_health(self) -> None:
        while not self.stop_event.wait(2):
            for name in self.podman("ps", "--format", "{{.Names}}", fails=True).split():
                if not self.is_healthy(name):
                    self.podman("healthcheck", "run", name, fails=True)

    def is_healthy(self, name: str) -> bool:
        return self.podman("inspect", name, "--format", "{{.State.Health.Status}}", fails=True) == "healthy"

    def compose(self, folder: Path, files: Sequence[str], *arguments: str, seconds: float = 600) -> None:
        """Run Compose against this engine."""
        file_options = [argument for file in files for argument in ("-f", file)]
        environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{self.socket}"}
        command = ["docker-compose", "-p", "deploy", *file_options, *arguments]
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=seconds)

    def end(self) -> None:
        """End the containers and the service; remove all."""
        self.stop_event.set()
        if self.nurse:
            self.nurse.join()
        self.podman("rm", "--all", "--force", "--time=5", fails=True)
        self.podman("network", "prune", "--force", fails=True)
        if self.service:
            self.service.terminate()
            self.service.wait()
        self.podman("volume", "prune", "--force", fails=True)
        subprocess.run(["umount", self.store / "images/overlay"], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder)


def as_lines(values: Mapping[str, str]) -> str:
    """Return an environment as an env file."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _pip_configuration() -> str:
    """This machine's index, with the certificates of the system's store."""
    words = ["[global]", f"cert = {CERTIFICATES}"] if CERTIFICATES.exists() else ["[global]"]
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    index = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return "\n".join([*words, *([f"index-url = {index.stdout.strip()}"] if index.returncode == 0 else [])]) + "\n"
