import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { expandHostName } from '../../../src/inputs/inventory/host-names.ts';
import { limitedHosts } from '../../../src/inputs/inventory/limit.ts';
import { readInventory } from '../../../src/inputs/inventory/read.ts';
import { variablesOf } from '../../../src/inputs/inventory/variables.ts';
import type { Value } from '../../../src/inputs/inventory/yaml.ts';
import { UserError } from '../../../src/util/errors.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/inventory');
const oracle = JSON.parse(readFileSync(join(fixtures, 'ansible-inventory.json'), 'utf8'));

const plain = (value: Value): unknown =>
  value instanceof Map ? Object.fromEntries([...value].map(([key, each]) => [key, plain(each)])) : value;

suite('an inventory is what Ansible makes of it', () => {
  for (const name of ['documented', 'hosts']) {
    test(`${name}.yml: hosts, and the variables of each`, () => {
      const inventory = readInventory(join(fixtures, `${name}.yml`));
      const mine = [...inventory.hosts.keys()].map((host) => {
        const { variables } = variablesOf(inventory, host);
        return [host, Object.fromEntries([...variables].map(([key, { value }]) => [key, plain(value)]))];
      });
      // Ansible leaves out hosts without variables.
      const wanted = Object.fromEntries(mine.map(([host]) => [host, oracle[name][String(host)] ?? {}]));
      assert.deepEqual(Object.fromEntries(mine), wanted);
      assert.deepEqual(
        Object.keys(oracle[name]).filter((host) => !inventory.hosts.has(host)),
        [],
      );
    });
  }
});

suite('names of hosts', () => {
  const cases: Record<string, { names: string[]; port?: number }> = {
    host: { names: ['host'] },
    'host:22': { names: ['host'], port: 22 },
    'www[8:11].example.com': { names: [8, 9, 10, 11].map((n) => `www${n}.example.com`) },
    'www[08:11]': { names: ['www08', 'www09', 'www10', 'www11'] },
    'db-[a:c]:2222': { names: ['db-a', 'db-b', 'db-c'], port: 2222 },
    'x[0:4:2]y[1:2]': { names: ['x0y1', 'x0y2', 'x2y1', 'x2y2', 'x4y1', 'x4y2'] },
    '[2001:db8::1]:2200': { names: ['2001:db8::1'], port: 2200 },
    '2001:db8::1': { names: ['2001:db8::1'] },
    '[:2]n': { names: ['0n', '1n', '2n'] },
  };
  for (const [pattern, { names, port }] of Object.entries(cases)) {
    test(pattern, () => assert.deepEqual(expandHostName(pattern), { names, port }));
  }

  for (const pattern of ['www[5:1]', 'www[01:100]', 'www[a:5]', 'www[1:99999999]']) {
    test(`${pattern} is refused`, () => {
      assert.throws(() => expandHostName(pattern), /is not a range of hosts/);
    });
  }
});

suite('what is no inventory in YAML is refused, with what to do', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inventory-'));
  });
  after(() => rm(folder, { recursive: true }));

  const cases: Record<string, { content: string; message: RegExp; hint: RegExp }> = {
    INI: {
      content:
        'mail.example.com\n\n[webservers]\nfoo.example.com ansible_port=2222\n[webservers:vars]\na=b\n',
      message: /is in INI form/,
      hint: /ansible-inventory -i \S+ --list --yaml/,
    },
    'INI that happens to be YAML': {
      content: '[webservers]\n',
      message: /is in INI form/,
      hint: /ansible-inventory/,
    },
    'INI of hosts alone': { content: 'foo\nbar\n', message: /holds no groups/, hint: /ansible-inventory/ },
    'a program': { content: '#!/bin/sh\n', message: /is a program/, hint: /ansible-inventory/ },
    'a plugin': { content: 'plugin: aws_ec2\n', message: /inventory plugin/, hint: /ansible-inventory/ },
    'a list of hosts': {
      content: 'all:\n  hosts: [a, b]\n',
      message: /hosts of the group all is no mapping/,
      hint: /"name:" lines/,
    },
    'broken YAML': {
      content: 'all:\n  hosts:\n   a: {b\n',
      message: /is not YAML: .* line \d/,
      hint: /Correct/,
    },
    'a circle': {
      content: 'a:\n  children: {b: }\nb:\n  children: {c: }\nc:\n  children: {b: }\n  hosts: {h: }\n',
      message: /is a child of itself/,
      hint: /children/,
    },
    'an encrypted file': {
      content: '$ANSIBLE_VAULT;1.1;AES256\n62313365\n',
      message: /encrypted with Ansible Vault/,
      hint: /unencrypted/,
    },
  };
  for (const [name, { content, message, hint }] of Object.entries(cases)) {
    test(name, async () => {
      const path = join(folder, 'hosts');
      await writeFile(path, content);
      const read = () => {
        const inventory = readInventory(path);
        for (const host of inventory.hosts.keys()) variablesOf(inventory, host);
      };
      assert.throws(read, (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        assert.match(error.hint, hint);
        return true;
      });
    });
  }

  test('a folder', async () => {
    await mkdir(join(folder, 'inventories'));
    assert.throws(() => readInventory(join(folder, 'inventories')), /is a folder/);
  });

  test('a file that is not there', () => {
    assert.throws(() => readInventory(join(folder, 'none.yml')), /ENOENT/);
  });
});

suite('limit', () => {
  const inventory = readInventory(join(fixtures, 'documented.yml'));
  const cases: Record<string, string[]> = {
    host2: ['host2'],
    southeast: ['host1', 'host2', 'host3'],
    'atlanta, raleigh': ['host1', 'host2', 'host3'],
    'usa !atlanta': ['host3'],
    'www0[1:3]*': [],
    'www0*,!www0[1:9].example.com': [],
    'test*,!group_*': ['test1', 'test2', 'test4'],
  };
  for (const [limit, hosts] of Object.entries(cases)) {
    test(limit, () => {
      if (hosts.length === 0) assert.throws(() => limitedHosts(inventory, limit), /is no host and no group/);
      else assert.deepEqual(limitedHosts(inventory, limit), hosts);
    });
  }

  test('left out, or only of what is taken out, means all', () => {
    assert.equal(limitedHosts(inventory, undefined).length, 60);
    assert.equal(limitedHosts(inventory, '!webservers').length, 9);
    assert.equal(limitedHosts(inventory, 'www*').length, 50);
  });
});
