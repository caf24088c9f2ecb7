import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gunzip, gzipSync, zstdCompressSync, zstdDecompress } from 'node:zlib';
import { S3ServiceException } from '@aws-sdk/client-s3';
import { Client } from 'ssh2';
import { describeError } from '../../../src/platform/platform.ts';

const cut = (packed: Buffer): Buffer => packed.subarray(0, packed.length - 6);

/** Errors of every edge of the program, as the edge itself throws them, that no part of the program has made its own. */
const edges: Readonly<Record<string, () => Promise<unknown>>> = {
  'a file that is not there': () => readFile('/nowhere/at/all'),
  'a folder that is none': () => readdir('/proc/version'),
  'a program that is not there': () => promisify(execFile)('/nowhere/at/all'),
  'a program that fails without a word': () => promisify(execFile)('/bin/false'),
  'gzip that is cut short': () => promisify(gunzip)(cut(gzipSync('text'.repeat(99)))),
  'zstd that is cut short': () => promisify(zstdDecompress)(cut(zstdCompressSync('text'.repeat(99)))),
  'bytes that are no gzip': () => promisify(gunzip)(Buffer.from('text')),
  'JSON that is none': async () => JSON.parse('{'),
  'a URL that is none': async () => new URL('text'),
  'a port where nobody listens': () => once(connect(1, '127.0.0.1'), 'connect'),
  'the SSH library': () => once(new Client().connect({ host: '127.0.0.1', port: 1, username: 'x' }), 'ready'),
  'an answer of S3 with a name of its own': async () => {
    throw new S3ServiceException({ name: 'Odd', $fault: 'server', $metadata: {}, message: '' });
  },
  'several errors at once': () =>
    Promise.any([Promise.reject(new Error('one')), Promise.reject(new Error('two'))]),
  'what is no error': () => Promise.reject({ odd: true }),
};

describe('an error of an unknown kind is told as one, with what to do', () => {
  for (const [title, edge] of Object.entries(edges)) {
    test(title, async () => {
      const error: unknown = await edge().then(
        () => assert.fail('does not fail'),
        (thrown: unknown) => thrown,
      );
      const [what = '', ...more] = describeError(error);
      assert.match(what, /^Unexpected error: ./);
      assert.match(more.join('\n'), /Run the command again|The account that runs the job may not/);
    });
  }
});
