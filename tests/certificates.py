"""Certificates as CREATE CERTIFICATE takes them."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate() -> bytes:
    """Return a new certificate as DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tde")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1))  # noqa: DTZ001 the builder wants no zone
        .not_valid_after(datetime(2030, 1, 1))  # noqa: DTZ001 the builder wants no zone
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)
