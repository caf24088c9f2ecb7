import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpaceGoneError, whileSpaceLasts } from '../../src/restore/space-watch.ts';
import { loadScratch } from '../../src/verify/restore/load.ts';
import type { TestServer } from '../../src/verify/restore/servers/server.ts';
import { assertNothingLeft, dumpOf, openLoad } from '../support/load-scene.ts';

test('a restore test ends before the server that Odoo uses has no space', async () => {
  await using scene = await openLoad();
  const { found, database, dumps } = scene;
  const { postgres: app, tools } = found;
  const disk = { device: '/dev/data', mount: '/data', free: 2 ** 30 };
  const full = async () => ({ ...disk, free: 2 ** 20 });
  const server: TestServer = {
    ...{
      label: 'the host',
      admin: await app.asRole('admin'),
      app,
      owner: 'odoo',
      also: new Set(),
      tools,
      jobs: 2,
    },
    whileSpaceLasts: (signal, body) => whileSpaceLasts([disk], full, signal, body),
    async [Symbol.asyncDispose]() {},
  };
  const dump = dumpOf('custom', dumps.custom);
  const { signal } = new AbortController();
  const loading = loadScratch(server, { database, loader: app }, { dump, extensions: [] }, signal);
  await assert.rejects(loading, SpaceGoneError);
  await assertNothingLeft(scene, database);
});
