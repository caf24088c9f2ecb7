// Runs the tests on real hosts with systemd, with Compose, and with a real Odoo, all of them or the files given. Where
// this machine does not permit such hosts, it says so and runs none.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeComposeImages } from '../test/support/compose-host.ts';
import { makeOdooImages } from '../test/support/odoo-host.ts';
import { makeSystemdImages, whyNoSystemdHost } from '../test/support/systemd-host.ts';
import { runTests } from './run-tests.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const reason = whyNoSystemdHost();
if (reason !== undefined) {
  console.error(`NOT RUN: the tests on hosts with systemd, because ${reason}`);
} else {
  const { status } = spawnSync('sh', ['scripts/setup.sh', '--hosts'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  const images = await makeSystemdImages();
  const COMPOSE_HOSTS = await makeComposeImages(images.SYSTEMD_HOST_BOOKWORM ?? '');
  await runTests(root, globSync('test/hosts/*.test.ts', { cwd: root }).sort(), {
    ...images,
    COMPOSE_HOSTS,
    ODOO_HOSTS: await makeOdooImages(images.SYSTEMD_HOST_TRIXIE ?? ''),
  });
}
