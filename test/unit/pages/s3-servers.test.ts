import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { checks } from '../../conformance/conformance.ts';
import { usesOf } from '../../conformance/uses.ts';

/** Findings of a server that lacks just these. */
const without = (...lacking: readonly string[]) =>
  usesOf(checks.map(({ run, ...check }) => ({ ...check, holds: !lacking.includes(check.id) })));

const use = (topic: string, ...lacking: readonly string[]) =>
  without(...lacking).rows.find(([name]) => name === topic)?.[1];

test('backups are safe where nothing is lacking that they rest on', () => {
  const required = ['upload', 'ranges', 'paging', 'receipt'];
  assert.deepEqual(
    checks.filter((check) => check.required).map(({ id }) => id),
    required,
  );
  for (const id of required) {
    assert.equal(without(id).safe, false, id);
    assert.equal(use('Backups', id), `NO: the server lacks ${id}`);
  }
  for (const { id } of checks.filter(({ id }) => !required.includes(id))) {
    assert.equal(without(id).safe, true, id);
  }
  assert.equal(without('part-md5', 'content-md5').safe, false);
});

test('what is used follows from what is there', () => {
  assert.match(use('Incremental transfer') ?? '', /^yes, .* MD5/);
  assert.match(use('Incremental transfer', 'copy-md5') ?? '', /^yes, .* reading them back/);
  assert.match(use('Incremental transfer', 'copy') ?? '', /^no/);
  assert.match(use('Incremental transfer', 'copy-apart') ?? '', /^no/);
  assert.match(use('Incremental transfer', 'part-sizes') ?? '', /^no/);
  assert.match(use('Proof of what is sent', 'part-md5') ?? '', /the server checks/);
  assert.match(
    use('Protection against overwriting', 'complete-if-none-match') ?? '',
    /a check before the upload/,
  );
  assert.equal(use('Object Lock', 'lock'), 'no');
});

test('docs/s3-servers.md has a row for every check', async () => {
  const page = await readFile(new URL('../../../docs/s3-servers.md', import.meta.url), 'utf8');
  const plain = page.replaceAll('`', '').replaceAll("'", '’');
  for (const { title } of checks) assert.ok(plain.includes(`| ${title}`), title);
});
