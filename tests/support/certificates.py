# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by openssl's own program."""

import os
import ssl
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """A certificate authority in a folder. issue(name, san) gives the paths of a certificate and its key."""

    def __init__(self, folder, name):
        self.folder = folder
        self.certificate = os.path.join(folder, name + ".pem")
        self.key = os.path.join(folder, name + ".key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key,
                "-out", self.certificate, "-days", "30", "-subj", "/CN=" + name,
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, san, expired=False):
        path = os.path.join(self.folder, name)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path + ".key", "-out",
                path + ".csr", "-subj", "/CN=" + name)
        with open(path + ".ext", "w") as file:
            file.write(f"subjectAltName={san}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        if expired:
            self._issue_expired(path)
            return path + ".pem", path + ".key"
        openssl("x509", "-req", "-in", path + ".csr", "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", "30", "-extfile", path + ".ext", "-out", path + ".pem")
        return path + ".pem", path + ".key"


    def _issue_expired(self, path):
        """Of `openssl x509` no release dates a certificate back, but `openssl ca` does."""
        for file, text in {".index": "", ".serial": "1000\n", ".cnf": (
                f"[ca]\ndefault_ca=own\n[own]\ndatabase={path}.index\nserial={path}.serial\nnew_certs_dir={self.folder}\n"
                "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")}.items():
            with open(path + file, "w") as out:
                out.write(text)
        openssl("ca", "-batch", "-notext", "-config", path + ".cnf", "-cert", self.certificate, "-keyfile", self.key, "-in", path + ".csr",
                "-out", path + ".pem", "-extfile", path + ".ext", "-startdate", "20200101000000Z", "-enddate", "20200102000000Z")


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
