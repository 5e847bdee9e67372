"""The demo's certificates, of a throw-away authority."""

import shutil
from pathlib import Path

import trustme


class DemoCertificates:
    """Certificates for the server, the gateway and a caller, as files in a folder.

    They are made anew for every demo, and the authority's own key is never stored.
    """

    def __init__(self, folder: Path, *hosts: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        self.folder = folder.resolve()
        self.ca_file = self.folder / "ca.pem"
        authority = trustme.CA(organization_name="LiveCalls demo")
        authority.cert_pem.write_to_path(self.ca_file)
        for name in ("server", "gateway", "caller"):
            leaf = authority.issue_cert(*dict.fromkeys(hosts))
            self._file(name, "key").touch(mode=0o600)
            leaf.private_key_pem.write_to_path(self._file(name, "key"))
            for number, pem in enumerate(leaf.cert_chain_pems):
                pem.write_to_path(self._file(name, "pem"), append=number > 0)

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server and a gateway that use them."""
        files = {
            "GRPC_TLS_CERTIFICATE_FILE": self._file("server", "pem"),
            "GRPC_TLS_KEY_FILE": self._file("server", "key"),
            "GRPC_TLS_CLIENT_CA_FILE": self.ca_file,
            "REST_TLS_CERTIFICATE_FILE": self._file("gateway", "pem"),
            "REST_TLS_KEY_FILE": self._file("gateway", "key"),
            "UPSTREAM_TLS_CA_FILE": self.ca_file,
            "UPSTREAM_TLS_CERTIFICATE_FILE": self._file("gateway", "pem"),
            "UPSTREAM_TLS_KEY_FILE": self._file("gateway", "key"),
        }
        return {name: str(file) for name, file in files.items()}

    def caller(self) -> tuple[bytes, bytes, bytes]:
        """Read what a caller needs: the authority's certificate, a key, and its certificate."""
        files = (self.ca_file, self._file("caller", "key"), self._file("caller", "pem"))
        ca, key, certificate = (file.read_bytes() for file in files)
        return ca, key, certificate

    def _file(self, name: str, kind: str) -> Path:
        return self.folder / f"{name}.{kind}"
