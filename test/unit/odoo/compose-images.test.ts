import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { LocalHost } from '../../../src/host/local-host.ts';
import type { ServiceImage } from '../../../src/odoo/code/code.ts';
import { compareCode } from '../../../src/odoo/code/compare-code.ts';
import { hasImage } from '../../../src/odoo/compose/images.ts';

const id = (digit: string) => `sha256:${digit.repeat(64)}`;
const now: ServiceImage = { service: 'odoo', image: 'odoo:18', id: id('b') };
const then: ServiceImage = { service: 'odoo', image: 'odoo:17', id: id('a'), digest: `odoo@${id('d')}` };

suite('an image of a backup that nobody has signed', () => {
  let folder: string;
  let host: LocalHost;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'images-'));
    host = new LocalHost();
    // What docker says of an image: two names, one digest.
    const inspected = [
      { Id: id('a'), RepoTags: ['odoo:17', 'erp:latest'], RepoDigests: [`odoo@${id('d')}`] },
    ];
    const script = `#!/bin/sh\n[ "$3" = ${id('a')} ] || exit 1\necho '${JSON.stringify(inspected)}'\n`;
    await writeFile(join(folder, 'docker'), script);
    await chmod(join(folder, 'docker'), 0o755);
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const unknown = async (image: ServiceImage): Promise<readonly string[]> => {
    const engine = { machine: host, program: join(folder, 'docker') as 'docker', as: undefined };
    const site = {
      host,
      accounts: undefined as never,
      hasImage: (one: ServiceImage) => hasImage(engine, one),
    };
    const code = (one: ServiceImage) => ({ checkouts: [], images: [one], packages: {} });
    return (await compareCode(site, code(image), code(now))).unknownHere;
  };

  for (const image of ['odoo:17', 'docker.io/library/odoo:17', 'erp', id('a'), `odoo:17@${id('d')}`]) {
    test(`is known as ${image}`, async () => assert.deepEqual(await unknown({ ...then, image }), []));
  }

  const planted: [string, Partial<ServiceImage>][] = [
    ['another image', { id: id('c') }],
    ['the name of another image', { image: 'evil/odoo:17' }],
    ['a tag that is not there', { image: 'odoo:16' }],
    ['the digest of another image', { digest: `odoo@${id('e')}` }],
    ['a digest of another registry', { digest: `evil.example.com/odoo@${id('d')}` }],
    ['the image of now by another name', { id: now.id, image: 'evil/odoo:18' }],
  ];
  for (const [what, fields] of planted) {
    test(`is not known where it has ${what}`, async () => {
      const [told = ''] = await unknown({ ...then, ...fields });
      assert.match(told, /^the image .* of the service odoo$/);
    });
  }
});
