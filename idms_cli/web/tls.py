"""Certificates are always verified: against the system's authorities, certifi's, and a private one if named."""

import ssl
from functools import cache
from pathlib import Path

import httpx

from idms_cli.errors import InputError


@cache
def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later. Raises `InputError` when the file of the private authority cannot be used."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"The authority file {ca_file} cannot be used: {error.strerror or error}.",
                hint="It must be a readable file with certificates in PEM form.",
            ) from error
    return context


def certificate_fault(error: BaseException | None) -> str | None:
    """What is wrong with the certificate, if that is why a request failed."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
