import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new self-signed certificate for 127.0.0.1 and its key, as PEM, made by openssl. */
export function selfSigned(commonName) {
  const directory = mkdtempSync(join(tmpdir(), "sluice-certificate-"));
  try {
    const [key, certificate] = ["key.pem", "certificate.pem"].map((file) => join(directory, file));
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", `/CN=${commonName}`, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
    ], { stdio: "pipe" });
    return { key: readFileSync(key, "utf8"), certificate: readFileSync(certificate, "utf8") };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
