import type { Explanation, Failure } from './failure.ts';

const tls = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO$)/;

/** The server was not reached, did not go on, or is none of S3. @param endpoint undefined for Amazon's own */
export function connectionError(error: Failure, endpoint: string | undefined): Explanation | undefined {
  const code = error.code ?? '';
  const server = endpoint ?? 'Amazon S3';
  if (code === 'ERR_INVALID_URL') {
    return [`${server} is not a URL`, 'Write `s3-endpoint` as https://host or https://host:port.'];
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return [
      `The name of ${server} cannot be resolved (${code})`,
      'Check `s3-endpoint` and the DNS of the runner.',
    ];
  }
  if (tls.test(code)) {
    return [
      `The TLS certificate of ${server} is not accepted: ${error.message} (${code})`,
      'For a private authority, set NODE_EXTRA_CA_CERTS to its certificate. Check that `s3-endpoint` is https:// only where the server speaks TLS.',
    ];
  }
  if (code === 'ECONNREFUSED') {
    return [
      `${server} refuses connections (ECONNREFUSED)`,
      'Check host and port of `s3-endpoint`, and the firewall.',
    ];
  }
  if (error.name === 'NoAnswer') {
    return [
      `${server} accepts connections and does not answer (${error.message})`,
      'Check `s3-endpoint`: host, port, and whether it is http:// or https://. A firewall or a proxy may swallow what is sent.',
    ];
  }
  if (error.name === 'TimeoutError' || /^(ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH)/.test(code)) {
    return [
      `The connection to ${server} broke or stood still (${code || error.name})`,
      'It was tried again several times. Check `s3-endpoint`, the firewall and the network of the runner.',
    ];
  }
  if (error instanceof SyntaxError || /deserializ/i.test(error.message ?? '')) {
    return [
      `${server} does not answer as an S3 service does`,
      'Check `s3-endpoint`: a console or a web page has another address than its S3 API.',
    ];
  }
  return undefined;
}
