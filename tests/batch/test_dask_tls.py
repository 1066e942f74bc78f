"""``--dask`` with Dask's TLS: its own configuration is used, and certificates are read before the
client is locked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.test_all

CLUSTER = """
import sys
from distributed import LocalCluster, Security
folder = sys.argv[1]
files = dict(
    tls_ca_file=f"{folder}/ca.pem", tls_scheduler_cert=f"{folder}/own.pem",
    tls_worker_cert=f"{folder}/own.pem", tls_client_cert=f"{folder}/own.pem",
)
if __name__ == "__main__":
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tls://", host="127.0.0.1",
        dashboard_address=None, security=Security(require_encryption=True, **files),
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""

NO_SCHEDULER = (
    "There is no Dask scheduler at this address. Check the address, and that it is running.\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Certificates: ``ca.pem`` and ``own.pem`` belong together, ``other.pem`` is of another."""
    import trustme

    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, signer in (("own.pem", authority), ("other.pem", trustme.CA())):
        signer.issue_cert("hashkit.test").private_key_and_cert_chain_pem.write_to_path(
            folder / name
        )
    return folder


@pytest.fixture(scope="module")
def address(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip()
    process.communicate("", timeout=60)


@pytest.fixture
def hash_there(address, folder, samples, run):
    def hash_(own, **environment):
        settings = {
            "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(folder / "ca.pem"),
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": str(folder / own) if own else "",
        }
        env = {**os.environ, **(settings if own else {}), **environment}
        command = ("hash", samples / "bmp.bmp", "--json", "--dask", address)
        return run(*command, env=env)

    return hash_


def test_certificates_named_in_the_environment(hash_there, address, samples, run):
    assert address.startswith("tls://")
    done = hash_there("own.pem")
    assert done.returncode == 0, done.stderr
    assert done.stdout == run("hash", samples / "bmp.bmp", "--json").stdout


def test_certificates_named_in_a_file_of_dask(hash_there, folder, tmp_path):
    settings = {"tls": {"ca-file": f"{folder}/ca.pem", "client": {"cert": f"{folder}/own.pem"}}}
    file = Path(tmp_path, ".config", "dask", "distributed.yaml")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"distributed": {"comm": settings}}))  # JSON is YAML
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = hash_there(None, **home)
    assert done.returncode == 0, done.stderr


def test_a_certificate_of_somebody_else(hash_there):
    done = hash_there("other.pem")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", NO_SCHEDULER)


def test_no_certificates(hash_there, tmp_path):
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = hash_there(None, **home)
    assert done.returncode == 2
    assert done.stderr == (
        "Dask's settings for TLS cannot be used. Check the certificates in its configuration.\n"
    )


def test_a_certificate_that_is_not_there(hash_there):
    done = hash_there("missing.pem")
    assert done.returncode == 2
    assert done.stderr.startswith("Dask's settings for TLS cannot be used.")
