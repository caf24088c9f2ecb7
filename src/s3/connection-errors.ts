import { withoutControls } from '../util/controls.ts';
import { askedAgain, type Explanation, isStranger, isWebPage, type SdkFailure } from './sdk-errors.ts';

/**
 * The error when something other than S3 has answered.
 *
 * @param endpoint undefined for Amazon's own
 * @param ofBucket the request was about no object: an S3 service would have said that there is no such bucket
 */
export function ofStranger(
  error: SdkFailure,
  status: number | undefined,
  endpoint: string | undefined,
  ofBucket: boolean,
): Explanation | undefined {
  const server = endpoint ?? 'Amazon S3';
  if (status === 407) {
    return [
      `A proxy on the way to ${server} asks for a password (HTTP 407)`,
      'Write HTTPS_PROXY or HTTP_PROXY as http://user:password@host:port, or name the S3 server in NO_PROXY.',
    ];
  }
  const stranger = isStranger(error) || (ofBucket && status === 404 && isWebPage(error));
  if (!stranger || status === undefined || status >= 500) return undefined;
  if (status < 300) return noS3(server);
  const location = originOf(error.$response?.headers?.location);
  if (status >= 300 && status < 400 && location !== undefined) {
    return [
      `${server} redirects to ${location} (HTTP ${status})`,
      `Set \`s3-endpoint\` to ${location}, if that is the S3 service and not a login page.`,
    ];
  }
  return [
    `${server} answers HTTP ${status}, and not like an S3 service`,
    'Check `s3-endpoint`: https:// or http://, and the port of the S3 API, which is not that of a console. Or a proxy or a firewall before it forbids this address.',
  ];
}

/** Scheme, host and port: the rest may hold secrets. */
function originOf(location = ''): string | undefined {
  const url = URL.parse(location);
  return url && /^https?:$/.test(url.protocol) ? withoutControls(url.origin) : undefined;
}

/** What the first bytes of another protocol look like to OpenSSL. */
const noTls = /wrong version number|packet length too long|unknown protocol|http request/i;

const tls = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO$)/;

/** The server was not reached, stopped answering, or is not an S3 server. @param endpoint undefined for Amazon's own */
export function connectionError(error: SdkFailure, endpoint: string | undefined): Explanation | undefined {
  const explained = explain(error, endpoint);
  const keepsHint = error.askedAgainFor === undefined || error.name === 'NoResult';
  if (explained === undefined || keepsHint) return explained;
  // Its address is right.
  const hint = 'Look at the status of the service and at the network of the runner, then run this again.';
  return [explained[0], `${askedAgain(error)} ${hint}`];
}

function explain(error: SdkFailure, endpoint: string | undefined): Explanation | undefined {
  const code = error.code ?? '';
  const server = endpoint ?? 'Amazon S3';
  if (code === 'ERR_INVALID_URL') {
    return [`${server} is not a URL`, 'Write `s3-endpoint` as https://host or https://host:port.'];
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return [
      `The name of ${server} cannot be resolved (${code})`,
      `Check ${endpoint ? '`s3-endpoint`' : '`aws-region`'} and the DNS of the runner.`,
    ];
  }
  if (tls.test(code) && noTls.test(error.message ?? '')) {
    return [
      `${server} does not speak TLS at this port (${code})`,
      'Write `s3-endpoint` with http://, or with the port of its TLS.',
    ];
  }
  if (/^HPE_/.test(code)) {
    return [
      `${server} does not speak HTTP at this port (${code})`,
      'Check the port of `s3-endpoint`, and whether it is https://.',
    ];
  }
  if (code === 'ERR_PROXY_TUNNEL') {
    return [
      `The proxy does not let this program through to ${server}: ${error.message}`,
      'Check HTTPS_PROXY, its user and its password, or name the S3 server in NO_PROXY.',
    ];
  }
  if (tls.test(code)) {
    return [
      `The TLS certificate of ${server} is not accepted: ${error.reason ?? error.message} (${code})`,
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
      `${server} accepts connections but does not answer (${error.message})`,
      'Check `s3-endpoint`: host, port, and whether it is http:// or https://. A firewall or a proxy may drop the data.',
    ];
  }
  if (error.name === 'NoResult') {
    return [
      `${server} does not answer like an S3 service: it says nothing of what became of ${error.message}`,
      `${askedAgain(error)} Check \`s3-endpoint\`: the address of a console or a web page is not that of its S3 API. Or a proxy before it answers in its place.`,
    ];
  }
  if (error.name === 'TimeoutError' || /^(ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH)/.test(code)) {
    return [
      `The connection to ${server} was lost or stalled (${code || error.name})`,
      `${askedAgain(error)} Check \`s3-endpoint\`, the firewall and the network of the runner.`,
    ];
  }
  if (error instanceof SyntaxError || /deserializ/i.test(error.message ?? '')) {
    return noS3(server);
  }
  return undefined;
}

const noS3 = (server: string): Explanation => [
  `${server} does not answer like an S3 service`,
  'Check `s3-endpoint`: the address of a console or a web page is not that of its S3 API.',
];
