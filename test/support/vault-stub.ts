import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';

/**
 * As much of HashiCorp Vault's transit engine as radosgw asks for SSE-S3: a key exists, it makes data keys, it
 * decrypts those it made. Keys are kept in memory.
 */
export function createVaultStub(): Server {
  const dataKeys = new Map<string, string>();
  return createServer(async (request, response) => {
    const [, , , action, key] = (request.url ?? '').split('?')[0]?.split('/') ?? []; // /v1/transit/<action>/<key>
    const body = request.method === 'GET' ? {} : await json(request).catch(() => ({}));
    const answer = (status: number, data?: object) =>
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(data && JSON.stringify({ data }));
    if (action === 'keys') {
      answer(200, { name: key });
    } else if (action === 'datakey') {
      const ciphertext = `vault:v1:${randomBytes(24).toString('base64')}`;
      const plaintext = randomBytes(32).toString('base64');
      dataKeys.set(ciphertext, plaintext);
      answer(200, { plaintext, ciphertext });
    } else {
      const plaintext = dataKeys.get((body as { ciphertext?: string }).ciphertext ?? '');
      if (action === 'decrypt' && plaintext) answer(200, { plaintext });
      else answer(404);
    }
  });
}
