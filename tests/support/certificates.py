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

    def issue(self, name, san):
        path = os.path.join(self.folder, name)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path + ".key", "-out",
                path + ".csr", "-subj", "/CN=" + name)
        with open(path + ".ext", "w") as file:
            file.write(f"subjectAltName={san}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        openssl("x509", "-req", "-in", path + ".csr", "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", "30", "-extfile", path + ".ext", "-out", path + ".pem")
        return path + ".pem", path + ".key"


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
